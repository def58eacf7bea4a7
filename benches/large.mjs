// `node benches/large.mjs chatgpt|whatsapp [--size N] [--kills N] [--home DIR] [--keep-export]`: an export as large as
// a long life's. It is imported (words only) while a second process searches, and imported once more while it is
// killed again and again. Counts, times and memory are printed; a count that is not what was written is an error.
//
// `--size` is GB of a zipped ChatGPT export (2), or thousands of WhatsApp messages (1000). What was measured where is
// in README.md.

import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { binary } from "../scripts/run.mjs";
import { chance, textOf } from "./chat.mjs";
import { memoryOf } from "./process.mjs";

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: { size: { type: "string" }, kills: { type: "string", default: "20" }, home: { type: "string" }, "keep-export": { type: "boolean", default: false } },
});
const kind = positionals[0];
const writers = { chatgpt: [writeChatGpt, "conversations.json", "2"], whatsapp: [writeWhatsApp, "WhatsApp Chat with Ana.txt", "1000"] };
if (!(kind in writers)) throw new Error("which: chatgpt or whatsapp");
const [write, name, usual] = writers[kind];
const size = Number(given.size ?? usual);
const folder = given.home ?? mkdtempSync(join(tmpdir(), "evoke-large-"));
const evoke = binary("evoke");
const most = 512 * 1024 ** 2;
mkdirSync(folder, { recursive: true });

try {
  const file = join(folder, name);
  const { messages, bytes } = await write(file, size);
  const path = kind === "chatgpt" ? zipped(file) : file;
  console.log(`${path.split("/").at(-1)}: ${messages} messages, ${mib(bytes)} unpacked, ${mib(statSync(path).size)} on disk`);
  const whole = await importing(path, join(folder, "whole"), messages);
  console.log(`imported in ${whole.seconds.toFixed(0)} s, ${Math.round(messages / whole.seconds)} messages/s, ${(bytes / 1e6 / whole.seconds).toFixed(1)} MB/s, at most ${mib(whole.most)} resident${whole.most > most ? ", MORE THAN 512 MiB" : ""}`);
  console.log(`searched meanwhile ${whole.searches.length} times: ${whole.searches.join("; ")}`);
  if (Number(given.kills) > 0) await killing(path, join(folder, "killed"), messages, whole);
} finally {
  if (!given.home) rmSync(folder, { recursive: true, force: true });
}

/** One uninterrupted import, searched from another process every few seconds. */
async function importing(path, home, messages) {
  rmSync(home, { recursive: true, force: true });
  const began = performance.now();
  const child = start(home, ["import", "--words-only", path]);
  const searches = [];
  let highest = 0;
  const look = setInterval(() => (highest = Math.max(highest, memoryOf(child.pid)?.most || 0)), 100);
  const exited = once(child, "exit");
  while (child.exitCode === null) {
    await Promise.race([exited, pause(5000)]);
    if (child.exitCode !== null) break;
    const from = performance.now();
    const found = ask(home, ["search", "--mode", "words", "landlord"], true);
    if (found) searches.push(`${found.messages >= 200 ? "200 or more" : found.messages} found in ${Math.round(performance.now() - from)} ms of a process, ${found.took_ms} ms of searching`);
  }
  clearInterval(look);
  if (child.exitCode !== 0) throw new Error(`the import ended with ${child.exitCode}`);
  const seconds = (performance.now() - began) / 1000;
  must(home, messages);
  return { seconds, most: highest, searches, digest: ask(home, ["home", "--digest"]).digest };
}

/** The same import, killed at moments spread over its length, then gone on to the end. */
async function killing(path, home, messages, whole) {
  rmSync(home, { recursive: true, force: true });
  const kills = Number(given.kills);
  let before = 0;
  let done = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    // Killed before it had begun, it is begun anew.
    const begun = existsSync(home) && ask(home, ["imports"], true)?.length > 0;
    const child = start(home, begun ? ["resume", "--words-only"] : ["import", "--words-only", path]);
    // Short and long turns, together about the whole time: what was saved before is met again more quickly.
    const moment = (whole.seconds * 1000 * (0.4 + ((kill * 7) % kills) / kills)) / kills;
    await Promise.race([once(child, "exit"), pause(moment)]);
    if (child.exitCode !== null) break;
    child.kill("SIGKILL");
    await once(child, "exit");
    done += 1;
    const saved = ask(home, ["status"], true)?.archive.messages ?? 0;
    if (saved < before) throw new Error(`after kill ${kill + 1}: ${saved} messages, and ${before} before it`);
    before = saved;
  }
  ask(home, ["resume", "--words-only"]);
  must(home, messages);
  const { digest } = ask(home, ["home", "--digest"]);
  if (digest !== whole.digest) throw new Error(`the digest is ${digest}, and ${whole.digest} without kills`);
  const { added } = ask(home, ["import", "--words-only", path]);
  if (added !== 0) throw new Error(`imported once more, ${added} messages were added`);
  console.log(`killed ${done} times, then gone on to the end: ${messages} messages, the same digest as without; imported once more: 0 added`);
}

function must(home, messages) {
  const { archive } = ask(home, ["status"]);
  if (archive.messages !== messages) throw new Error(`${archive.messages} messages are there, ${messages} were written`);
}

function where(home) {
  return ["--home", home, "--key-file"];
}

function start(home, args) {
  return spawn(evoke, [...where(home), "--json", ...args], { stdio: ["ignore", "ignore", "inherit"] });
}

function ask(home, args, mayFail = false) {
  const { status, stdout, stderr } = spawnSync(evoke, [...where(home), "--json", ...args], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (stdout && (status === 0 || args[0] === "search")) return JSON.parse(stdout);
  if (mayFail) return null;
  throw new Error(`evoke ${args.join(" ")}: ${stderr}`);
}

function zipped(file) {
  const zip = `${file.replace(/\/[^/]*$/, "")}/chatgpt.zip`;
  rmSync(zip, { force: true });
  const { status } = spawnSync("python3", ["-c", "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as z: z.write(sys.argv[1], 'conversations.json')", file, zip]);
  if (status !== 0) throw new Error("the zip could not be written");
  if (!given["keep-export"]) rmSync(file);
  return zip;
}

/** Conversations of forty messages, a third of them long answers; regenerated branches now and then. */
async function writeChatGpt(file, gigabytes) {
  const random = chance(3);
  const out = writer(file);
  let messages = 0;
  for (let n = 0; out.bytes() < gigabytes * 1e9; n += 1) {
    const begun = 1_600_000_000 + n * 4_000;
    const mapping = { root: { id: "root", message: null, parent: null, children: [] } };
    let parent = "root";
    for (let turn = 0; turn < 40; turn += 1) {
      const id = `${n.toString(16).padStart(8, "0")}-0000-4000-8000-${turn.toString(16).padStart(12, "0")}`;
      const role = turn % 2 ? "assistant" : "user";
      const said = Array.from({ length: turn % 2 ? 24 : 2 }, () => textOf("en", random)).join(" ");
      mapping[parent].children.push(id);
      mapping[id] = {
        id, parent, children: [],
        message: { id, author: { role, name: null, metadata: {} }, create_time: begun + turn * 30 + 0.25, update_time: null, content: { content_type: "text", parts: [said] }, status: "finished_successfully", end_turn: true, weight: 1, metadata: { timestamp_: "absolute" }, recipient: "all" },
      };
      parent = id;
      messages += 1;
    }
    const conversation = { title: `Talk ${n}`, create_time: begun, update_time: begun + 1200, mapping, current_node: parent, conversation_id: `c${n}`, id: `c${n}` };
    await out.write(`${n ? ",\n" : "["}${JSON.stringify(conversation)}`);
  }
  await out.end("]\n");
  return { messages, bytes: out.bytes() };
}

/** As an Android phone writes it: minutes only, many equal lines, some of several lines. */
async function writeWhatsApp(file, thousands) {
  const random = chance(5);
  const out = writer(file);
  const messages = thousands * 1000;
  let time = Date.UTC(2014, 0, 1);
  for (let n = 0; n < messages; n += 1) {
    time += random() < 0.9 ? random() * 120_000 : random() * 4 * 3_600_000;
    const at = new Date(time);
    const two = (part) => String(part).padStart(2, "0");
    const stamp = `${two(at.getUTCDate())}/${two(at.getUTCMonth() + 1)}/${at.getUTCFullYear()}, ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    const text = random() < 0.03 ? `${textOf("en", random)}\n${textOf("en", random)}` : textOf("en", random);
    await out.write(`${stamp} - ${random() < 0.5 ? "Ana" : "Robin Test"}: ${text}\n`);
  }
  await out.end("");
  return { messages, bytes: out.bytes() };
}

/** Writes a file of any size with little memory. */
function writer(file) {
  const stream = createWriteStream(file);
  let bytes = 0;
  const write = async (text) => {
    bytes += Buffer.byteLength(text);
    if (!stream.write(text)) await once(stream, "drain");
  };
  const end = async (text) => {
    await write(text);
    stream.end();
    await once(stream, "finish");
  };
  return { write, end, bytes: () => bytes };
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function mib(bytes) {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
