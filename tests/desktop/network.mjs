// The window as it is shipped, watched from outside by strace: whatever it, its threads and the web
// view's processes ask the system for, no internet socket is given to them, and the window shows all the same.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { binary, root } from "../../scripts/run.mjs";
import { logOf, onStage, start, until } from "./stage.mjs";

/** How long the window is watched, seconds. */
const watched = 15;
/** The frame with nothing in it has about 300 colours, with the sample's hits, badges and histogram 1,500. */
const colours = 1000;
/** Exit code of `evoke` where another Evoke holds the archive. */
const busy = 5;

/** `app` is built without "automation"; the picture goes to `shots`. */
export async function network(app, shots) {
  await onStage(async (stage) => {
    mkdirSync(shots, { recursive: true });
    const picture = join(shots, "without-network.png");
    const trace = join(stage.folder, "trace");
    mkdirSync(trace);
    importSample(stage);
    const began = Date.now();
    start(stage, "strace", ["strace", "-ff", "-e", "trace=%network,io_uring_setup,execve", "-o", join(trace, "of"), app]);
    await until("the window shows the archive", () => coloursOf(stage, picture) > colours).catch((error) => {
      throw new Error(`${error.message}\nwhat was shown: ${picture}\n${logOf(stage, "strace")}`);
    });
    // Only a call of the page opens the archive, so the page is alive if the archive is taken.
    assert.equal(evoke(stage, "people", "--me", "nobody of this name").status, busy);
    // What was not read for meaning yet is read now, in the window, so that this is watched too.
    await until("watched long enough", () => Date.now() - began > watched * 1000);
    coloursOf(stage, picture);
    judge(readTrace(trace), app, picture);
  });
}

function importSample(stage) {
  const folder = join(root, "sample/archive");
  const exports = readdirSync(folder).map((name) => join(folder, name));
  const { status, stderr } = evoke(stage, "--key-file", "import", "--words-only", ...exports);
  assert.equal(status, 0, stderr);
}

function evoke(stage, ...args) {
  return spawnSync(binary("evoke"), args, { env: stage.env, encoding: "utf8" });
}

/** Takes a picture of the display; gives the number of different colours in it. */
function coloursOf({ env }, picture) {
  const taken = spawnSync("import", ["-window", "root", picture], { env, encoding: "utf8" });
  if (taken.status !== 0) throw new Error(taken.stderr);
  return Number(spawnSync("identify", ["-format", "%k", picture], { encoding: "utf8" }).stdout);
}

/** One file a thread, so that no call is cut in two by another thread's. */
function readTrace(folder) {
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"));
  const asked = lines.filter((line) => /^(socket|io_uring_setup)\(/.test(line));
  const local = asked.filter((line) => /^socket\((AF_UNIX|AF_LOCAL)/.test(line));
  const started = lines.map((line) => /^execve\("([^"]+)".* = 0$/.exec(line)?.[1]);
  return {
    local: local.length,
    denied: asked.filter((line) => / = -1 EACCES /.test(line)).length,
    given: asked.filter((line) => !local.includes(line) && !/ = -1 EACCES /.test(line)),
    programs: [...new Set(started.filter(Boolean).map((path) => basename(path)))],
  };
}

function judge({ local, denied, given, programs }, app, picture) {
  assert.deepEqual(given, [], "sockets that were given");
  for (const program of [basename(app), "WebKitNetworkProcess", "WebKitWebProcess"]) {
    assert.ok(programs.includes(program), `${program} was not watched, only ${programs.join(", ")}`);
  }
  assert.ok(local > 0, "a trace without any socket saw nothing");
  console.log(`  watched for ${watched} s: ${local} local sockets given, ${denied} others asked for, all denied`);
  console.log(`  shown without a network: ${picture}`);
}
