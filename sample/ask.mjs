// Asks the questions of questions.jsonl and prints at which place the expected words stand: `node sample/ask.mjs
// [HOME] [further arguments of evoke search]`. Without a home one is made, and the sample imported. Needs the
// program, which `npm start` builds.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, root } from "../scripts/run.mjs";

const [given, ...more] = process.argv.slice(2);
const home = given ?? join(mkdtempSync(join(tmpdir(), "evoke-sample-")), "home");

function evoke(...args) {
  const ran = spawnSync(binary("evoke"), ["--home", home, "--key-file", "--json", ...args], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (ran.status > 1) throw new Error(ran.stderr || ran.stdout);
  return JSON.parse(ran.stdout);
}

if (!given) evoke("sample");
const tally = {};
for (const line of readFileSync(join(root, "sample/questions.jsonl"), "utf8").trim().split("\n")) {
  const { text, expect, category } = JSON.parse(line);
  const { hits } = evoke("search", text, "--limit", "50", ...more);
  const at = hits.findIndex(({ message }) => expect.some((words) => message.text.includes(words)));
  const read = hits[0]?.why.asked ?? "-";
  console.log(`${String(at < 0 ? "none" : at + 1).padStart(4)}  ${category.padEnd(10)} ${read.padEnd(9)} ${text}`);
  const sum = (tally[category] ??= { asked: 0, first: 0, ten: 0 });
  sum.asked += 1;
  sum.first += at === 0 ? 1 : 0;
  sum.ten += at >= 0 && at < 10 ? 1 : 0;
}
console.table(tally);
