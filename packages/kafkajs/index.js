"use strict";

// Plain properties: tests and tools replace them, as they do with kafkajs. The class comes from where those look for it.
module.exports = { ...require("./dist/index.js"), Kafka: require("./src/index.js") };
