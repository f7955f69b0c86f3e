"use strict";

module.exports = require("../../dist/assigner-protocol.js").AssignerProtocol;
