"use strict";

/**
 * Services replace methods of kafkajs' queue, whose timer never rests and makes Node warn of negative waits. They find it, and may do so;
 * no client here has such a queue, nor the timer.
 */
module.exports = class RequestQueue {
  scheduleCheckPendingRequests() {}

  checkPendingRequests() {}
};
