// Prints record batches that Odradek writes, for Kafka's classes to read: see README.md. It needs the built package.
const { RecordBatchBuilder, compressionTypes, defaultCodecs, noProducerState } = require("@odradek/protocol");

const t = 1_700_000_000_000;
const text = "0123456789 the quick brown fox jumps over the lazy dog ";

async function print(name, type, level, producer, append) {
  const compression = type === "none" ? null : { codec: defaultCodecs[type], level, ratio: 1 };
  const builder = new RecordBatchBuilder(Buffer.alloc(1 << 20), { compression });
  append(builder);
  await builder.compress();
  process.stdout.write(`${name.replaceAll(" ", "-")} ${builder.close(producer).toString("hex")}\n`);
}

function variety(builder) {
  builder.append(t, null, "v0");
  builder.append(t + 5, "k", null, [
    { key: "h1", value: "x" },
    { key: "h1", value: null },
    { key: "é", value: Buffer.alloc(0) },
  ]);
  builder.append(t - 3, Buffer.alloc(0), "");
  builder.append(t + 10_000_000_000, "later", "more than 32 bits");
  builder.append(t - 10_000_000_000, Buffer.from("earlier"), "é中😀");
  builder.append(t, "a key of more than sixteen characters", "a value of more than sixteen characters, and not all ASCII: é");
}

function large(builder) {
  builder.append(t, "large", Buffer.from(text.repeat(4000)));
  for (let i = 0; i < 100; i++) builder.append(t + i, `key-${i}`, text.slice(0, i % 50));
}

async function main() {
  for (const type of compressionTypes) {
    await print(`${type}`, type, undefined, noProducerState, variety);
    if (type !== "none") await print(`${type} large`, type, undefined, noProducerState, large);
    const producer = { producerId: 4000n, producerEpoch: 7, baseSequence: 42, isTransactional: true };
    await print(`${type} transactional`, type, undefined, producer, variety);
  }
  for (const level of [1, 9]) await print(`gzip level ${level}`, "gzip", level, noProducerState, large);
  for (const level of [-10, 1, 19]) await print(`zstd level ${level}`, "zstd", level, noProducerState, large);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
