import type { BrokerErrorName } from "@odradek/protocol";

/** Thrown for what a group coordinator refuses, under Kafka's name for why. */
export class GroupError extends Error {
  readonly code: BrokerErrorName;

  constructor(code: BrokerErrorName, message: string = code) {
    super(message);
    this.code = code;
  }
}
