import type { NetworkClient } from "@odradek/network";
import { CreateAcls } from "@odradek/protocol/messages/create-acls";
import { DeleteAcls } from "@odradek/protocol/messages/delete-acls";
import { DescribeAcls } from "@odradek/protocol/messages/describe-acls";
import { expect } from "vitest";
import { until } from "../cluster/readiness.ts";
import { networkOf, withinAMinute } from "./requests.ts";

/** Kafka's numbers. */
const resourceTypes = { topic: 2, group: 3 } as const;
const operations = { read: 3, describe: 8 } as const;
const allow = 3;
const anyOf = 1;

/** Of nobody who is there: with a rule for him, nobody has rights that are not given to them. */
const stranger = "User:stranger";

export type Right = keyof typeof operations;

/** What one user may do with one topic or one group of a secure cluster of one broker; without these, everything. */
export class Rights {
  readonly #network: NetworkClient;
  readonly #resource: { readonly resourceType: number; readonly resourceName: string };
  readonly #principal: string;

  /** @param bootstrapServers of the listener where everybody may do everything */
  constructor(
    bootstrapServers: readonly string[],
    kind: keyof typeof resourceTypes,
    resourceName: string,
    user: string,
  ) {
    this.#network = networkOf({ bootstrapServers });
    this.#resource = { resourceType: resourceTypes[kind], resourceName };
    this.#principal = `User:${user}`;
  }

  /** Resolves when the broker goes by it: the user may do this, and no more. To read is to describe too. */
  async are(...rights: readonly Right[]): Promise<void> {
    const rules = [
      { principal: stranger, operation: operations.read },
      ...rights.map((right) => ({ principal: this.#principal, operation: operations[right] })),
    ];
    // The new ones first: without any, everybody would have all rights.
    await this.#create(rules);
    for (const [right, operation] of Object.entries(operations)) {
      if (!rights.some((given) => given === right)) await this.#delete(operation);
    }
    await until("the broker knows the rights", async () => {
      const known = await this.#known();
      return known.length === rules.length || `it knows ${known.length} rules of ${rules.length}`;
    });
  }

  async #create(rules: readonly { readonly principal: string; readonly operation: number }[]): Promise<void> {
    const creations = rules.map((rule) => ({ ...this.#resource, ...rule, host: "*", permissionType: allow }));
    const { results } = await this.#network.request(
      CreateAcls,
      { creations },
      { to: "any", deadline: withinAMinute() },
    );
    expect(results.map(({ errorCode }) => errorCode)).toEqual(creations.map(() => 0));
  }

  async #delete(operation: number): Promise<void> {
    const filter = {
      resourceTypeFilter: this.#resource.resourceType,
      resourceNameFilter: this.#resource.resourceName,
      principalFilter: this.#principal,
      hostFilter: null,
      operation,
      permissionType: anyOf,
    };
    const { filterResults } = await this.#network.request(
      DeleteAcls,
      { filters: [filter] },
      { to: "any", deadline: withinAMinute() },
    );
    expect(filterResults).toMatchObject([{ errorCode: 0 }]);
  }

  async #known() {
    const filter = {
      resourceTypeFilter: this.#resource.resourceType,
      resourceNameFilter: this.#resource.resourceName,
      principalFilter: null,
      hostFilter: null,
      operation: anyOf,
      permissionType: anyOf,
    };
    const { errorCode, resources } = await this.#network.request(DescribeAcls, filter, {
      to: "any",
      deadline: withinAMinute(),
    });
    expect(errorCode).toBe(0);
    return resources.flatMap(({ acls }) => acls);
  }
}
