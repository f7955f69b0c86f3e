import { afterAll, beforeAll, describe, inject, test } from "vitest";
import { suite } from "../../packages/testing/test/behaviour/index.ts";
import { RawKafka } from "../../packages/testing/test/behaviour/raw-kafka.ts";

let kafka: RawKafka;

beforeAll(async () => {
  kafka = await RawKafka.connect(inject("bootstrapServers"));
});

afterAll(() => kafka.close());

// packages/testing/test/behaviour.wire.test.ts runs the same cases against the cluster for tests.
describe.each(Object.entries(suite))("%s", (_, cases) => {
  test.each(cases)("$name", ({ run }) => run(kafka));
});
