"use strict";

module.exports = require("../../dist/client/default-socket-factory.js").defaultSocketFactory;
