// A client in a process of its own, so that what a hostile peer makes of it can be measured:
//
//   node client.cjs admin|producer|consumer PORT PATIENCE_MS
//
// It works until something fails or there is nothing left to do, closes, and says what happened in one line of JSON.
const { readFileSync } = require("node:fs");
const { KafkaAdmin, KafkaConsumer, KafkaError, KafkaProducer } = require("odradek");

const [work, port, patience] = process.argv.slice(2);
const options = {
  bootstrapServers: [`127.0.0.1:${port}`],
  requestTimeoutMs: Math.ceil(patience * 0.8),
  defaultApiTimeoutMs: Number(patience),
  reconnectBackoffMs: 10,
  reconnectBackoffMaxMs: 100,
  retryBackoffMs: 10,
  retryBackoffMaxMs: 100,
};

const works = { admin, producer, consumer };
const report = { error: null, records: 0, largestPollBytes: 0, uncaught: [], peakBytes: 0 };
process.on("uncaughtException", (error) => report.uncaught.push(String(error)));
process.on("unhandledRejection", (error) => report.uncaught.push(String(error)));

let sampledPeak = 0;
setInterval(() => {
  sampledPeak = Math.max(sampledPeak, process.memoryUsage.rss());
}, 10).unref();

// The process ends when nothing of the client keeps it alive, or the test loses its patience.
process.on("exit", () => {
  report.peakBytes = peakBytes();
  process.stdout.write(`${JSON.stringify(report)}\n`);
});

works[work]().catch((error) => {
  report.error = described(error);
});

async function admin() {
  const client = new KafkaAdmin(options);
  try {
    await client.connect();
  } finally {
    await client.close({ timeoutMs: 0 });
  }
}

async function producer() {
  const client = new KafkaProducer({ acks: 1, deliveryTimeoutMs: Number(patience), lingerMs: 0, ...options });
  try {
    await client.send({ topic: "orders", partition: 0, value: Buffer.from("v") });
  } finally {
    await client.close({ timeoutMs: 0 });
  }
}

/** Polls until a record says that it is the last, or for some seconds; looks at all of every record, as applications may. */
async function consumer() {
  const client = new KafkaConsumer({ autoOffsetReset: "earliest", fetchMaxWaitMs: 10, ...options });
  try {
    client.assign([{ topic: "orders", partition: 0 }]);
    const endMs = performance.now() + 20_000;
    for (let isLast = false; !isLast && performance.now() < endMs; ) {
      let bytes = 0;
      for (const { value, headers } of await client.poll(2_000)) {
        report.records += 1;
        bytes += value?.length ?? 0;
        isLast ||= headers.some(({ key }) => key === "last");
      }
      report.largestPollBytes = Math.max(report.largestPollBytes, bytes);
    }
  } finally {
    await client.close({ timeoutMs: 0 });
  }
}

function described(error) {
  if (!(error instanceof Error))
    return { name: typeof error, isTyped: false, code: null, message: String(error), cause: null };
  const { name, code = null, message, cause = null } = error;
  return { name, isTyped: error instanceof KafkaError, code, message, cause: cause === null ? null : described(cause) };
}

/** The kernel's own account where there is one: samples miss what comes and goes within one turn of the event loop. */
function peakBytes() {
  if (process.platform !== "linux") return Math.max(sampledPeak, process.memoryUsage.rss());
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return Number(kilobytes) * 1024;
}
