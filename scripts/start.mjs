// `npm start`: builds the app and opens its window. Where there is no display it says so and does the
// same main job in the terminal: imports the sample, shows the receipt, three searches, the timeline.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setup } from "./setup.mjs";
import { binary, buildUi, run } from "./run.mjs";

setup("build");
buildUi();
run(["cargo", "build", "--workspace", "--bins"]);

const display = process.platform !== "linux" || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
if (display) {
  run([binary("evoke-desktop")]);
} else {
  terminal();
}

function terminal() {
  console.log("\nThere is no display here, so no window can be opened. The same in the terminal, with the sample:\n");
  const home = mkdtempSync(join(tmpdir(), "evoke-"));
  const evoke = (...args) => {
    console.log(`\n$ evoke ${args.map((a) => (a.includes(" ") ? `'${a}'` : a)).join(" ")}`);
    run([binary("evoke"), "--home", home, "--key-file", ...args]);
  };
  try {
    evoke("sample");
    for (const question of ["who recommended the plumber", "where do I live now", "trip postponed to September"]) {
      evoke("search", question, "--limit", "3");
    }
    evoke("timeline", "--by", "month");
    evoke("status");
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
