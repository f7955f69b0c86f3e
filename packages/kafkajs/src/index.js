"use strict";

// Tools that instrument kafkajs know the files `src/index.js`, `src/producer/index.js` and `src/consumer/index.js` of its
// package: they replace what those export while the entry loads them, or look for a class `Client` in the text of this one.
const consumer = require("./consumer/index.js");
const producer = require("./producer/index.js");
const kafka = require("../dist/kafka.js");

class Client extends kafka.Client {
  constructor(config) {
    super(config, { consumer, producer });
  }
}

// Its own, as in kafkajs, for who lists or replaces them.
for (const method of ["producer", "consumer", "admin", "logger"]) {
  Object.defineProperty(Client.prototype, method, Object.getOwnPropertyDescriptor(kafka.Client.prototype, method));
}

module.exports = Client;
