// What the scripts share: where the project is, and running a program so that its failure ends the script.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/// Cargo's target folder: the environment's, else the project's.
export function target() {
  return resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
}

export function binary(name) {
  return join(target(), "debug", process.platform === "win32" ? `${name}.exe` : name);
}

/// Whether a program is on the path.
export function has(program) {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, program)));
}

/// Runs a program with our input and output; a failure ends the script with its code.
export function run(command, options = {}) {
  const { status, error } = spawnSync(command[0], command.slice(1), { cwd: root, stdio: "inherit", ...options });
  if (error) console.error(`${command[0]}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/// The UI must stand before the window is compiled: it is built into it.
export function buildUi() {
  run(["npm", "run", "--silent", "build"], { cwd: join(root, "ui") });
}
