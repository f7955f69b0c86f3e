import { expect, onTestFinished, test } from "vitest";
import { resolveClientOptions } from "../src/client-options.ts";
import { Deadline } from "../src/deadline.ts";
import { NetworkClient } from "../src/network-client.ts";
import { OptionReader } from "../src/option-reader.ts";
import { ManualClock } from "./manual-clock.ts";

/** Time that goes on by itself, whenever somebody looks at it. */
class CreepingClock extends ManualClock {
  creepMs = 0;
  #creptMs = 0;

  override now(): number {
    this.#creptMs += this.creepMs;
    return super.now() + this.#creptMs;
  }
}

// The pause may be over at any of the looks that one round takes.
test.each([0.2, 0.35, 0.45, 0.6, 0.9])(
  "a pause ends well, also where it ends while the clock is looked at: %s ms",
  async (creepMs) => {
    const clock = new CreepingClock();
    const options = resolveClientOptions(new OptionReader({ bootstrapServers: ["127.0.0.1:9"] }));
    const client = new NetworkClient("producer", { ...options, maxInFlightRequestsPerConnection: 5 }, clock);
    onTestFinished(() => client.close({ timeoutMs: 0 }));
    clock.creepMs = creepMs;
    const paused = client.pause(new Deadline(clock, 1)).then(() => "over", String);
    clock.creepMs = 0;
    clock.advance(10);
    expect(await paused).toBe("over");
  },
);
