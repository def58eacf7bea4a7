// `npm run bench -- [--messages 5000] [--home DIR] [--json]`: how quick and how heavy Evoke is with an
// archive of a given size. With --home the archive is kept, and a run that was cut off goes on there.
// What was measured where is in README.md.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, platform, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { binary } from "../scripts/run.mjs";
import { questions, writeExport } from "./chat.mjs";
import { memoryOf, start } from "./process.mjs";

const { values: given } = parseArgs({
  options: { messages: { type: "string", default: "5000" }, home: { type: "string" }, json: { type: "boolean", default: false } },
});
const messages = Number(given.messages);
if (!Number.isInteger(messages) || messages < 100) throw new Error("--messages wants a whole number of at least 100");
const folder = given.home ?? mkdtempSync(join(tmpdir(), "evoke-bench-"));
const where = ["--home", join(folder, "archive"), "--key-file"];
const say = (text) => given.json || console.log(text);

/// What is measured already, kept beside the archive: see `keep`.
const notes = join(folder, "measured.json");
const measured = existsSync(notes) ? JSON.parse(readFileSync(notes, "utf8")) : { messages, embedding: { seconds: 0, passages: 0 } };
if (measured.messages !== messages) throw new Error(`${folder} holds ${measured.messages} messages: give --messages ${measured.messages}, or another --home`);
function keep(what) {
  Object.assign(measured, what);
  writeFileSync(notes, JSON.stringify(measured));
}

mkdirSync(folder, { recursive: true });
try {
  if (!measured.words) keep({ words: await importWords() });
  if (!measured.whole) keep({ whole: await embedRest() });
  const report = { machine: machine(), ...measured, ...(await searches()) };
  if (given.json) console.log(JSON.stringify(report, null, 2));
  else print(report);
} finally {
  if (!given.home) rmSync(folder, { recursive: true, force: true });
}

/** From the export to every word searchable. */
async function importWords() {
  const file = join(folder, "result.json");
  await writeExport(file, messages);
  say(`Importing ${messages} messages`);
  const began = performance.now();
  const { most } = await weighed([...where, "--json", "import", "--words-only", file]);
  return { seconds: since(began), most };
}

/** Runs `evoke` to its end; gives its highest resident memory. */
function weighed(args) {
  const child = spawn(binary("evoke"), args, { stdio: ["ignore", "ignore", "inherit"] });
  let most = null;
  const look = setInterval(() => (most = memoryOf(child.pid)?.most ?? most), 50);
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => {
      clearInterval(look);
      if (code === 0) resolve({ most });
      else reject(new Error(`evoke ${args.join(" ")} ended with ${code}`));
    });
  });
}

/** Reads what waits for meaning, as the window does after a start. Notes how far it is as it goes. */
async function embedRest() {
  const evoke = start(binary("evoke"), where);
  const before = { ...measured.embedding };
  const { coverage: first } = (await evoke.ask({ call: "status" })).index;
  const began = performance.now();
  for (;;) {
    const [job] = await evoke.ask({ call: "jobs" });
    const { coverage } = (await evoke.ask({ call: "status" })).index;
    const seconds = before.seconds + since(began);
    keep({ embedding: { seconds, passages: before.passages + coverage.embedded - first.embedded } });
    if (job?.trouble) throw new Error(job.trouble.message);
    if (!job || job.state !== "running") break;
    say(`  ${coverage.embedded} of ${coverage.passages - coverage.excluded} passages, ${Math.round(seconds)} s`);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  const { archive, disk_bytes, index } = await evoke.ask({ call: "status" });
  const { now, most } = memoryOf(evoke.pid) ?? {};
  await evoke.stop();
  if (archive.messages !== messages || index.coverage.waiting > 0) throw new Error("the archive is not whole");
  return { conversations: archive.conversations, passages: index.coverage.passages, vectors: index.vectors, disk: disk_bytes, now, most };
}

/** First after a start in five processes, the last of which then answers the warm questions. */
async function searches() {
  say("Searching");
  const [first, opened] = [[], []];
  let evoke;
  for (const text of questions().slice(0, 5)) {
    await evoke?.stop();
    const began = performance.now();
    evoke = start(binary("evoke"), where);
    const status = evoke.ask({ call: "status" }).then(() => opened.push(since(began)));
    await evoke.ask({ call: "search", query: query(text, "hybrid") });
    first.push(since(began));
    await status;
  }
  const [words, hybrid] = [await warm(evoke, "words"), await warm(evoke, "hybrid")];
  const idle = await idleMemory();
  await evoke.stop();
  return { opened: middle(opened), first: middle(first), search: { words, hybrid }, idle };
}

/** A process that was opened and asked nothing. */
async function idleMemory() {
  const evoke = start(binary("evoke"), where);
  await evoke.ask({ call: "status" });
  const memory = memoryOf(evoke.pid);
  await evoke.stop();
  return memory?.now;
}

/** Each question once to warm up, then once to be measured, seconds. */
async function warm(evoke, mode) {
  const times = [];
  for (const round of ["warm up", "measure"]) {
    for (const text of questions()) {
      const began = performance.now();
      await evoke.ask({ call: "search", query: query(text, mode) });
      if (round === "measure") times.push(since(began));
    }
  }
  times.sort((a, b) => a - b);
  return { p50: middle(times), p95: times[Math.ceil(times.length * 0.95) - 1] };
}

function query(text, mode) {
  const everything = { sources: [], kinds: [], people: [], conversations: [], from: null, until: null };
  return { text, ...everything, sort: "best", mode, offset: 0, limit: 30 };
}

function since(began) {
  return (performance.now() - began) / 1000;
}

function middle(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}

function machine() {
  const gib = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} cores (${cpus()[0]?.model.trim() ?? "unknown"}), ${gib} GiB, ${platform()}`;
}

function print({ machine, words, embedding, whole, opened, first, search, idle }) {
  const seconds = (s) => (s < 120 ? `${s.toFixed(1)} s` : `${Math.round(s / 60)} min`);
  const ms = (s) => `${Math.round(s * 1000)} ms`;
  const mib = (bytes) => (bytes ? `${Math.round(bytes / 1024 ** 2)} MiB` : "not known");
  const rows = [
    ["machine", machine],
    ["archive", `${messages} messages, ${whole.conversations} conversations, ${whole.passages} passages`],
    ["import to searchable by words", `${seconds(words.seconds)}, ${Math.round(messages / words.seconds)} messages/s`],
    ["read for meaning", `${seconds(embedding.seconds)}, ${Math.round(embedding.passages / embedding.seconds)} passages/s`],
    ["both together", seconds(words.seconds + embedding.seconds)],
    ["neighbours searched", whole.vectors],
    ["word search, warm, p50 / p95", `${ms(search.words.p50)} / ${ms(search.words.p95)}`],
    ["hybrid search, warm, p50 / p95", `${ms(search.hybrid.p50)} / ${ms(search.hybrid.p95)}`],
    ["start to status, to first hybrid answer", `${ms(opened)}, ${ms(first)}`],
    ["resident: word import, highest", mib(words.most)],
    ["resident: reading for meaning, highest / at its end", `${mib(whole.most)} / ${mib(whole.now)}`],
    ["resident: opened, nothing asked", mib(idle)],
    ["disk", `${mib(whole.disk)}, ${Math.round(whole.disk / messages)} bytes a message`],
  ];
  for (const [what, value] of rows) console.log(`| ${what} | ${value} |`);
}
