// A process of Evoke from outside: asked over JSON lines as the window asks, and weighed.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** Starts `evoke stdio`. `ask` gives the value of a call's reply, or throws what the memory says. */
export function start(binary, args) {
  const child = spawn(binary, ["stdio", ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map();
  let last = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, ok, error } = JSON.parse(line);
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(new Error(`${error.kind}: ${error.message}`));
    else resolve(ok.value);
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  void ended.then((code) => waiting.forEach(({ reject }) => reject(new Error(`evoke ended with ${code}`))));
  const ask = (call) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id: last, call })}\n`);
    });
  const stop = () => (child.stdin.end(), ended);
  return { pid: child.pid, ask, stop };
}

/** Resident memory now and at its highest, bytes; null where the system has no /proc. */
export function memoryOf(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? NaN) * 1024;
    return { now: of("VmRSS"), most: of("VmHWM") };
  } catch {
    return null;
  }
}
