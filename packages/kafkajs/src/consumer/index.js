"use strict";

module.exports = require("../../dist/kafka.js").factories.consumer;
