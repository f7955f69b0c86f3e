"use strict";

module.exports = require("../../dist/console-log-creator.js").consoleLogCreator;
