"use strict";

const { logLevel: LEVELS } = require("../../dist/log-level.js");
const { createLogger } = require("../../dist/logger.js");

module.exports = {
  LEVELS,
  createLogger: ({ level = LEVELS.INFO, logCreator } = {}) => createLogger(level, logCreator),
};
