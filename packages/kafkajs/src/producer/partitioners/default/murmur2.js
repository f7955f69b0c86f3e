"use strict";

module.exports = require("odradek").murmur2;
