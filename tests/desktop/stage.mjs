// The stage on which the window is tested: a display without a screen, a session bus, and folders of its
// own. When the play is over nothing is left of it. What is played: person.mjs, network.mjs, shots.mjs.

import { spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Each process of a stage carries this variable, so that what is left over can be found by its id. */
const mark = "EVOKE_STAGE";

/** How long anything may take before it counts as failed, seconds. A machine may be busy. */
const patience = 90;

/** Sets the stage, plays, and clears it, whatever happened. */
export async function onStage(play) {
  const folder = mkdtempSync(join(tmpdir(), "evoke-window-"));
  const stage = { folder, groups: [], person: makePerson(folder) };
  const interrupted = () => (endGroups(stage), process.exit(130));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, interrupted);
  try {
    stage.env = { ...environment(stage.person), DISPLAY: `:${await startDisplay(stage)}`, [mark]: folder };
    await play(stage);
  } finally {
    await clear(stage);
    rmSync(folder, { recursive: true, force: true });
    for (const signal of ["SIGINT", "SIGTERM"]) process.removeListener(signal, interrupted);
  }
}

/** Folders as a person's login has them. `home` is Evoke's; whatever the web view keeps is in the others. */
function makePerson(folder) {
  const at = (name) => join(folder, name);
  const person = { home: at("archive"), files: at("person"), runtime: at("run") };
  for (const name of ["person/data", "person/cache", "person/config", "person/state", "person/tmp", "exports"]) {
    mkdirSync(at(name), { recursive: true });
  }
  // D-Bus wants this one for the owner alone.
  mkdirSync(person.runtime, { mode: 0o700 });
  return person;
}

function environment({ home, files, runtime }) {
  const { PATH } = process.env;
  const xdg = { XDG_DATA_HOME: "data", XDG_CACHE_HOME: "cache", XDG_CONFIG_HOME: "config", XDG_STATE_HOME: "state", TMPDIR: "tmp" };
  return {
    PATH,
    HOME: files,
    ...Object.fromEntries(Object.entries(xdg).map(([name, under]) => [name, join(files, under)])),
    XDG_RUNTIME_DIR: runtime,
    EVOKE_HOME: home,
    GDK_BACKEND: "x11",
    LANG: "en_GB.UTF-8",
    TZ: "Europe/Berlin",
  };
}

/** Xvfb chooses a free number and tells it. */
function startDisplay(stage) {
  const screen = ["-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp"];
  const child = spawn("Xvfb", screen, { detached: true, stdio: ["ignore", "ignore", "ignore", "pipe"] });
  stage.groups.push(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`Xvfb ended with ${code}`)));
    createInterface({ input: child.stdio[3] }).once("line", resolve);
  });
}

/** Starts a program under a session bus, in a process group of its own. Its output goes to `<name>.log` on the stage. */
export function start(stage, name, command) {
  const log = openSync(join(stage.folder, `${name}.log`), "a");
  const child = spawn("dbus-run-session", ["--", ...command], {
    env: { ...stage.env, ...stage.more },
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.on("error", () => {});
  stage.groups.push(child);
  return child;
}

export function logOf(stage, name) {
  return readFileSync(join(stage.folder, `${name}.log`), "utf8");
}

/** Asks until the answer is true, and gives it. `what` says in the failure what did not come about. */
export async function until(what, ask, seconds = patience) {
  const end = Date.now() + seconds * 1000;
  let trouble = "";
  while (Date.now() < end) {
    const answer = await Promise.resolve()
      .then(ask)
      .catch((error) => void (trouble = `: ${error.message}`));
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within ${seconds} s: ${what}${trouble}`);
}

function endGroups({ groups }) {
  for (const { pid } of groups) kill(-pid, "SIGTERM");
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // Already ended by itself.
    if (error.code !== "ESRCH") throw error;
  }
}

async function clear(stage) {
  // First the programs, last the display they draw on.
  const [display, ...programs] = stage.groups;
  endGroups({ groups: programs });
  const gone = () => leftOvers(stage).length === 0;
  await until("all processes of the stage ended", gone, 20).catch(() => {});
  const left = leftOvers(stage);
  for (const { pid } of left) kill(pid, "SIGKILL");
  if (display) kill(-display.pid, "SIGTERM");
  if (left.length > 0) throw new Error(`left over after the end: ${left.map((p) => `${p.name} (${p.pid})`).join(", ")}`);
}

/** Processes that carry the stage's mark. */
export function leftOvers({ folder }) {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const marked = pids.filter((pid) => read(`/proc/${pid}/environ`).split("\0").includes(`${mark}=${folder}`));
  return marked.map((pid) => ({ pid: Number(pid), name: read(`/proc/${pid}/comm`).trim() }));
}

/** Empty where the process has ended meanwhile. */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
