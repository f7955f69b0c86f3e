import type { Clock } from "../src/clock.ts";
import { silentLogger } from "../src/observation/logger.ts";
import { NetworkObserver } from "../src/observation/network-observer.ts";

/** An observer for tests that look at something else. */
export const silentObserver = (clock: Clock): NetworkObserver =>
  new NetworkObserver({
    kind: "consumer",
    clientId: "test",
    logger: silentLogger,
    clock,
    numSamples: 2,
    sampleWindowMs: 30_000,
  });
