// The frames of a .cpuprofile that took the most time themselves, without what they called:
//
//   node integration/bench/hottest.mjs FILE [3]
import { readFileSync } from "node:fs";
import { basename } from "node:path";

const [file, count = "3"] = process.argv.slice(2);
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8"));
const frames = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
const micros = new Map();
samples.forEach((id, index) => {
  const frame = frames.get(id);
  micros.set(frame, (micros.get(frame) ?? 0) + timeDeltas[index]);
});
micros.delete("(idle)");
const total = [...micros.values()].reduce((sum, each) => sum + each, 0);
const hottest = [...micros].sort(([, a], [, b]) => b - a).slice(0, Number(count));
for (const [frame, took] of hottest) console.log(`${((100 * took) / total).toFixed(1).padStart(5)} %  ${frame}`);

function nameOf({ functionName, url, lineNumber }) {
  const name = functionName || "(anonymous)";
  return url === "" ? name : `${name} ${basename(url)}:${lineNumber + 1}`;
}
