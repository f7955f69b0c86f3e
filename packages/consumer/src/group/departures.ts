import type { Deadline, Purpose } from "@odradek/network";
import type { OutgoingRequest } from "../outgoing-request.ts";
import type { GroupCoordinator } from "./group-coordinator.ts";

/** Makes the request that says that a member goes, and calls `end` whatever comes of it. */
type FarewellTo = (nodeId: number, end: () => void) => OutgoingRequest;

interface Departure {
  readonly farewellTo: FarewellTo;
  readonly deadline: Deadline;
  readonly resolve: () => void;
  isAsked: boolean;
}

/**
 * Members of a group that this consumer was, and whose coordinator has not heard yet that they left. It is told once: a member
 * of which it does not hear is forgotten when its session is over. Source: Kafka's `AbstractCoordinator.maybeLeaveGroup`.
 */
export class Departures {
  readonly #coordinator: GroupCoordinator;
  readonly #purpose: Purpose;
  readonly #departures = new Set<Departure>();

  /** @param purpose of the connection over which the coordinator is told */
  constructor(coordinator: GroupCoordinator, purpose: Purpose) {
    this.#coordinator = coordinator;
    this.#purpose = purpose;
  }

  /** @returns settles when the coordinator was told, or could not be before the deadline */
  add(deadline: Deadline, farewellTo: FarewellTo): Promise<void> {
    return new Promise((resolve) => {
      this.#departures.add({ farewellTo, deadline, resolve, isAsked: false });
    });
  }

  /** Adds the requests that are due. @returns when to look again */
  poll(nowMs: number, requests: OutgoingRequest[]): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const departure of this.#departures) {
      const nodeId = departure.isAsked ? null : this.#coordinator.ready(this.#purpose);
      if (nodeId !== null) {
        departure.isAsked = true;
        requests.push(departure.farewellTo(nodeId, () => this.#end(departure)));
      }
      if (departure.deadline.atMs <= nowMs || this.#coordinator.error !== null) {
        this.#end(departure);
        continue;
      }
      nextMs = Math.min(nextMs, departure.deadline.atMs);
      if (!departure.isAsked) nextMs = Math.min(nextMs, this.#coordinator.retryAtMs);
    }
    return nextMs;
  }

  /** Ends those that wait, told or not. */
  cancel(): void {
    for (const departure of this.#departures) this.#end(departure);
  }

  #end(departure: Departure): void {
    this.#departures.delete(departure);
    departure.resolve();
  }
}
