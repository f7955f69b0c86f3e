import { describe, expect, test } from "vitest";
import { KafkaAdmin } from "../src/index.ts";

/** Nobody listens there: whatever fails here fails before a connection is made. */
const bootstrapServers = ["127.0.0.1:1"];

const at = { topic: "t", partition: 0 };

/** What people write in JavaScript, where no compiler stops them. */
function anything<T>(text: string): T {
  return JSON.parse(text);
}

type Case = readonly [what: string, call: (admin: KafkaAdmin) => Promise<unknown>, message: string];

const cases: readonly Case[] = [
  ["no array", (admin) => admin.deleteTopics(anything('"t"')), 'option topics: an array is expected, not "t"'],
  ["an empty name", (admin) => admin.deleteTopics([""]), "option topics[0]: the name of a topic"],
  ["the same topic twice", (admin) => admin.describeTopics(["t", "t"]), "option topics[1]: each only once is expected"],
  ["an id that is none", (admin) => admin.deleteTopics([{ topicId: "x" }]), "option topics[0].topicId: a UUID of 22"],
  [
    "pages without partitions",
    (admin) => admin.describeTopics(["t"], { partitionSizeLimitPerResponse: 0 }),
    "option partitionSizeLimitPerResponse: a whole number from 1",
  ],
  [
    "a topic without partitions",
    (admin) => admin.createPartitions([{ topic: "t", totalCount: 0 }]),
    "option topics[0].totalCount: a whole number of at least 1",
  ],
  [
    "a partition with nobody to hold it",
    (admin) => admin.createPartitions([{ topic: "t", totalCount: 3, assignments: [[1], []] }]),
    "option topics[0].assignments[1]: an array of broker ids, the preferred leader first, is expected",
  ],
  [
    "no configs at all",
    (admin) => admin.alterConfigs(anything('[{ "type": "TOPIC", "name": "t" }]')),
    "option resources[0].configs: an object is expected, not undefined",
  ],
  [
    "an election of no kind",
    (admin) => admin.electLeaders(anything('"BEST"'), null),
    "option type: PREFERRED or UNCLEAN",
  ],
  [
    "a negative partition",
    (admin) => admin.electLeaders("PREFERRED", [{ topic: "t", partition: -1 }]),
    "option partitions[0].partition: a whole number of at least 0 is expected, not -1",
  ],
  [
    "no replicas at all",
    (admin) => admin.alterPartitionReassignments([{ ...at, replicaIds: [] }]),
    "option reassignments[0].replicaIds: an array of broker ids",
  ],
  [
    "a move that is called off by leaving something out",
    (admin) => admin.alterPartitionReassignments(anything('[{ "topic": "t", "partition": 0 }]')),
    "option reassignments[0].replicaIds: an array of broker ids, or null to call off a move is expected, not undefined",
  ],
  [
    "a place that no log has",
    (admin) => admin.listOffsets([{ ...at, spec: anything('"end"') }]),
    "option partitions[0].spec: one of latest, ",
  ],
  ["a time before 1970", (admin) => admin.listOffsets([{ ...at, spec: -2 }]), "option partitions[0].spec: "],
  [
    "a partition twice",
    (admin) =>
      admin.listOffsets([
        { ...at, spec: "latest" },
        { ...at, spec: "earliest" },
      ]),
    'option partitions[1]: each only once is expected, not "t-0"',
  ],
  [
    "an offset below the end",
    (admin) => admin.deleteRecords([{ ...at, beforeOffset: -2 }]),
    "option partitions[0].beforeOffset: a whole number of at least 0, or -1",
  ],
  [
    "a resource of no type",
    (admin) => admin.describeConfigs([{ type: "UNKNOWN", name: "t" }]),
    "option resources[0].type: one of TOPIC, BROKER, ",
  ],
  [
    "a broker by its name",
    (admin) => admin.describeConfigs([{ type: "BROKER", name: "one" }]),
    'option resources[0].name: the id of a broker is expected, not "one"',
  ],
  [
    "a broker beyond all",
    (admin) => admin.describeConfigs([{ type: "BROKER", name: "2147483648" }]),
    'option resources[0].name: the id of a broker is expected, not "2147483648"',
  ],
  [
    "nothing to set",
    (admin) => admin.incrementalAlterConfigs([{ type: "TOPIC", name: "t", ops: [{ name: "a", operation: "SET" }] }]),
    "option resources[0].ops[0].value: a text is expected, not null",
  ],
  [
    "configs that are no texts",
    (admin) => admin.alterConfigs([{ type: "TOPIC", name: "t", configs: JSON.parse('{ "retention.ms": 5 }') }]),
    "option resources[0].configs.retention.ms: a text, or null for the default, is expected, not 5",
  ],
  [
    "two changes of one config",
    (admin) =>
      admin.incrementalAlterConfigs([
        {
          type: "TOPIC",
          name: "t",
          ops: [
            { name: "a", operation: "DELETE" },
            { name: "a", operation: "SET", value: "1" },
          ],
        },
      ]),
    "option resources[0].ops[1]: each only once",
  ],
  [
    "a state that no group has",
    (admin) => admin.listGroups({ states: anything('["Busy"]') }),
    "option states[0]: one of PreparingRebalance, ",
  ],
  ["no id of a group", (admin) => admin.lag(JSON.parse("null")), "option groupId: the id of a group"],
  [
    "a negative offset",
    (admin) => admin.alterConsumerGroupOffsets("g", [{ ...at, offset: -1 }]),
    "option offsets[0].offset: a whole number of at least 0",
  ],
  [
    "partitions that are none",
    (admin) => admin.listConsumerGroupOffsets([{ groupId: "g", partitions: anything("[5]") }]),
    "option groups[0].partitions[0]: an object is expected, not 5",
  ],
  [
    "a start before the log",
    (admin) => admin.alterShareGroupOffsets("g", [{ ...at, startOffset: -1 }]),
    "option offsets[0].startOffset: a whole number of at least 0",
  ],
  [
    "an ACL for anything",
    (admin) =>
      admin.createAcls([
        { resourceType: "ANY", resourceName: "t", principal: "User:a", operation: "READ", permissionType: "ALLOW" },
      ]),
    'option acls[0].resourceType: one of TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, DELEGATION_TOKEN, USER is expected, not "ANY"',
  ],
  [
    "a principal without a type",
    (admin) =>
      admin.createAcls([
        { resourceType: "TOPIC", resourceName: "t", principal: "alice", operation: "READ", permissionType: "ALLOW" },
      ]),
    "option acls[0].principal: a type and a name, such as User:alice",
  ],
  [
    "a quota for nobody",
    (admin) => admin.alterClientQuotas([{ entity: {}, quotas: { producer_byte_rate: 1 } }]),
    "option alterations[0].entity: a user, a clientId or an ip",
  ],
  [
    "a quota that is no number",
    (admin) => admin.alterClientQuotas([{ entity: { user: "u" }, quotas: { producer_byte_rate: Number.NaN } }]),
    "option alterations[0].quotas.producer_byte_rate: a number, or null to take it away, is expected, not NaN",
  ],
  [
    "too few iterations",
    (admin) =>
      admin.alterUserScramCredentials([{ user: "u", mechanism: "SCRAM-SHA-256", password: "p", iterations: 1_000 }]),
    "option alterations[0].iterations: a whole number from 4096 to 16384",
  ],
  [
    "neither a password nor a deletion",
    (admin) => admin.alterUserScramCredentials(anything('[{ "user": "u", "mechanism": "SCRAM-SHA-256" }]')),
    "option alterations[0]: an object with either a password, or delete",
  ],
  [
    "a feature that is switched off by an upgrade",
    (admin) => admin.updateFeatures([{ feature: "share.version", maxVersionLevel: 0 }]),
    "option updates[0].upgradeType: a downgrade",
  ],
  ["a directory without a UUID", (admin) => admin.removeRaftVoter(1, "disk"), "option voterDirectoryId: a UUID of 22"],
  ["a controller below 0", (admin) => admin.unregisterController(-1), "option controllerId: the id of a controller"],
  ["a broker below 0", (admin) => admin.unregisterBroker(-1), "option brokerId: the id of a broker"],
  [
    "no directory",
    (admin) => admin.alterReplicaLogDirs([{ ...at, brokerId: 1, logDir: "" }]),
    "option assignments[0].logDir: a path on the broker",
  ],
  [
    "no transactional id",
    (admin) => admin.forceTerminateTransaction(""),
    'option transactionalId: a transactional id is expected, not ""',
  ],
  [
    "a filter for what is not known",
    (admin) => admin.describeAcls({ resourceType: "UNKNOWN" }),
    "option filter.resourceType: one of ANY, TOPIC, ",
  ],
  ["an id that is empty", (admin) => admin.fenceProducers([""]), "option transactionalIds[0]: a transactional id"],
  [
    "an epoch below 0",
    (admin) => admin.abortTransaction({ ...at, producerId: 1, producerEpoch: -1, coordinatorEpoch: null }),
    "option transaction.producerEpoch: a whole number from 0 to 32767 is expected, not -1",
  ],
  [
    "an epoch that no producer has",
    (admin) => admin.abortTransaction({ ...at, producerId: 1, producerEpoch: 32_768, coordinatorEpoch: null }),
    "option transaction.producerEpoch: a whole number from 0 to 32767 is expected, not 32768",
  ],
  [
    "a producer beyond 64 bits",
    (admin) => admin.abortTransaction({ ...at, producerId: 2n ** 63n, producerEpoch: 0, coordinatorEpoch: null }),
    "option transaction.producerId: a whole number is expected, not 9223372036854775808n",
  ],
  [
    "an end beyond 64 bits",
    (admin) => admin.deleteRecords([{ ...at, beforeOffset: 2n ** 63n }]),
    "option partitions[0].beforeOffset: a whole number of at least 0, or -1",
  ],
  [
    "an offset beyond 64 bits",
    (admin) => admin.alterConsumerGroupOffsets("g", [{ ...at, offset: 2n ** 63n }]),
    "option offsets[0].offset: a whole number of at least 0 is expected, not 9223372036854775808n",
  ],
  [
    "a text that has no UTF-8, and would go out as another one",
    (admin) => admin.describeTopics(["a\ud800"]),
    'option topics[0]: the name of a topic, or an object with its topicId, is expected, not "a\\ud800"',
  ],
  [
    "a group without UTF-8",
    (admin) => admin.lag("\udc00"),
    'option groupId: the id of a group is expected, not "\\udc00"',
  ],
  [
    "the id that stands for no topic",
    (admin) => admin.describeTopics([{ topicId: "AAAAAAAAAAAAAAAAAAAAAA" }]),
    "option topics[0].topicId: a UUID of 22 characters of base64url, and not the one of zeros,",
  ],
  [
    "a type that no group has",
    (admin) => admin.listGroups({ types: anything('["Consumer", "consumer"]') }),
    'option types[1]: one of Classic, Consumer, Share, Streams is expected, not "consumer"',
  ],
  [
    "a state that no transaction has",
    (admin) => admin.listTransactions({ states: anything('"Ongoing"') }),
    'option states: an array is expected, not "Ongoing"',
  ],
  [
    "a producer that has no id",
    (admin) => admin.listTransactions({ producerIds: [1, 0.5] }),
    "option producerIds[1]: the id of a producer is expected, not 0.5",
  ],
  [
    "the key of a config that has no name",
    (admin) => admin.describeConfigs([{ type: "TOPIC", name: "t", configKeys: ["retention.ms", ""] }]),
    'option resources[0].configKeys[1]: the name of a config is expected, not ""',
  ],
  [
    "an owner among others without a type",
    (admin) => admin.describeDelegationToken({ owners: ["User:alice", "bob"] }),
    'option owners[1]: a type and a name, such as User:alice is expected, not "bob"',
  ],
  [
    "an hmac that is no base64",
    (admin) => admin.renewDelegationToken("%%%"),
    "option hmac: the hmac of a token, in base64, is expected",
  ],
  [
    "a lifetime of nothing",
    (admin) => admin.createDelegationToken({ maxLifetimeMs: 0 }),
    "option maxLifetimeMs: a whole number",
  ],
  [
    "an owner without a type",
    (admin) => admin.createDelegationToken({ owner: "alice" }),
    "option owner: a type and a name",
  ],
  [
    "an option that is none",
    (admin) => admin.listTopics(anything('{ "internal": true }')),
    "option internal: one of the names listInternal, signal, timeoutMs",
  ],
  [
    "a signal that is none",
    (admin) => admin.listTopics({ signal: anything("{}") }),
    "option signal: an AbortSignal is expected, not an object",
  ],
];

describe("a call refuses before it connects", () => {
  test.each(cases)("%s", async (_, call, message) => {
    await using admin = new KafkaAdmin({ bootstrapServers });
    const error: unknown = await call(admin).then(
      () => "it was not refused",
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: "OptionsError", code: "OPTIONS" });
    expect(String(error)).toContain(message);
  });

  test("a close that would wait for no time there is, and stays open", async () => {
    const admin = new KafkaAdmin({ bootstrapServers });
    await expect(admin.close({ timeoutMs: -1 })).rejects.toThrow(/^option timeoutMs: a whole number of at least 0/);
    await expect(admin.close(anything('{ "timeout": 5 }'))).rejects.toThrow(
      /^option timeout: one of the names timeoutMs/,
    );
    await expect(admin.listTopics({ timeoutMs: 0 })).rejects.toMatchObject({ code: "TIMEOUT" });
    await admin.close();
    await expect(admin.listTopics()).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("the same entity of quotas twice, and not two whose names only look the same together", async () => {
    await using admin = new KafkaAdmin({ bootstrapServers });
    const alterations = [{ user: "a, client-id b" }, { user: "a", clientId: "b" }, { clientId: "b", user: "a" }];
    const quotas = { producer_byte_rate: 1 };
    await expect(admin.alterClientQuotas(alterations.map((entity) => ({ entity, quotas })))).rejects.toThrow(
      'option alterations[2]: each only once is expected, not "{\\"user\\":\\"a\\",\\"clientId\\":\\"b\\"}"',
    );
  });

  test("what is secret without showing it", async () => {
    await using admin = new KafkaAdmin({ bootstrapServers });
    const secrets = [
      admin.expireDelegationToken(anything('["hunter2"]')),
      admin.alterUserScramCredentials(anything('[{ "user": "u", "mechanism": "MD5", "password": "hunter2" }]')),
      admin.alterUserScramCredentials(anything('[{ "user": "u", "mechanism": "SCRAM-SHA-256", "password": 4711 }]')),
      admin.alterUserScramCredentials(
        anything('[{ "user": "u", "mechanism": "SCRAM-SHA-256", "password": "hunter2", "delete": true }]'),
      ),
    ];
    for (const secret of secrets) {
      await expect(secret).rejects.toThrow(/^option /);
      await expect(secret).rejects.not.toThrow(/hunter2|4711/);
    }
  });
});

test("a call about nothing asks nobody", async () => {
  await using admin = new KafkaAdmin({ bootstrapServers });
  const calls = [
    admin.deleteTopics([]),
    admin.describeTopics([]),
    admin.listOffsets([]),
    admin.describeConfigs([]),
    admin.describeConsumerGroups([]),
    admin.createAcls([]),
    admin.electLeaders("PREFERRED", []),
    admin.describeUserScramCredentials([]),
  ];
  for (const call of calls) expect((await call).size).toBe(0);
});
