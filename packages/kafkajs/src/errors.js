"use strict";

const entry = require("../dist/index.js");

const rebalancing = new Set(["REBALANCE_IN_PROGRESS", "NOT_COORDINATOR_FOR_GROUP", "ILLEGAL_GENERATION"]);

module.exports = {
  ...Object.fromEntries(Object.entries(entry).filter(([name]) => name.startsWith("KafkaJS"))),
  isKafkaJSError: (error) => error instanceof entry.KafkaJSError,
  isRebalancing: ({ type }) => rebalancing.has(type),
};
