// `npm test`: everything that must hold. The UI's logic, the Rust crates, the pages in Chromium, and the
// real window under Xvfb. One part alone: `npm test -- rust|ui|pages|window`.

import { join } from "node:path";
import { setup } from "./setup.mjs";
import { binary, buildUi, root, run, target } from "./run.mjs";

const parts = {
  ui: () => run(["npm", "test", "--silent"], { cwd: join(root, "ui") }),
  rust: () => run(["cargo", "test", "--workspace", "--quiet"]),
  pages: () => run(["npx", "playwright", "test"], { cwd: join(root, "ui"), env: { ...process.env, EVOKE_BIN: binary("evoke") } }),
  window: () => {
    if (process.platform !== "linux") return console.log("The window's test needs WebKitGTK: left out on this system.");
    const folder = join(target(), "automation");
    run(["cargo", "build", "--quiet", "--package", "evoke-desktop", "--features", "automation"], { env: { ...process.env, CARGO_TARGET_DIR: target() } });
    run(["node", join(root, "tests/desktop/run.mjs")], { env: { ...process.env, EVOKE_SHOTS: join(folder, "shots") } });
  },
};

const wanted = process.argv.slice(2);
setup("test");
buildUi();
for (const [name, part] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const began = Date.now();
  console.log(`\n── ${name}`);
  if (name === "pages") run(["cargo", "build", "--workspace", "--bins", "--quiet"]);
  part();
  console.log(`── ${name}: passed in ${Math.round((Date.now() - began) / 1000)} s`);
}
