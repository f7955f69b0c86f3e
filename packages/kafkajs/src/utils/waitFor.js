"use strict";

module.exports = require("../../dist/wait-for.js").waitFor;
