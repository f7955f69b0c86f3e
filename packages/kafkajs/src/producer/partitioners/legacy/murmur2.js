"use strict";

module.exports = require("../../../../dist/partitioners/legacy-murmur2.js").legacyMurmur2;
