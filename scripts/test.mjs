// `npm test`: everything that must hold. The UI's logic, the Rust crates, the pages in Chromium, and the
// real window under Xvfb. One part alone: `npm test -- rust|ui|pages|window`. By name only, since they are
// not needed to build or run Evoke: `npm test -- training` installs PyTorch and tests what made the model,
// `npm test -- shots` takes the README's pictures.

import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setup } from "./setup.mjs";
import { binary, buildUi, root, run, target } from "./run.mjs";

/// As `npm start` builds them, so that nothing is compiled twice.
const programs = ["cargo", "build", "--workspace", "--bins", "--quiet"];

const parts = {
  ui: () => run(["npm", "test", "--silent"], { cwd: join(root, "ui") }),
  rust: () => {
    // The doors' tests start the terminal's program.
    run(programs);
    run(["cargo", "test", "--workspace", "--quiet"]);
  },
  pages: () => {
    run(programs);
    run(["npx", "playwright", "test"], { cwd: join(root, "ui"), env: { ...process.env, EVOKE_BIN: binary("evoke") } });
  },
  window: () => {
    if (!hasWindow()) return;
    const automation = buildAutomation();
    run(programs);
    const env = { ...process.env, EVOKE_SHOTS: join(target(), "shots") };
    run(["node", join(root, "tests/desktop/run.mjs"), automation, binary("evoke-desktop")], { env });
  },
};

/// Asked for by name only.
const extra = {
  shots: () => hasWindow() && run(["node", join(root, "tests/desktop/shots.mjs"), buildAutomation()]),
  training: () => run([pythonOfTraining(), "-m", "pytest", "-q", "tests"], { cwd: join(root, "training") }),
};

/// A Python with what training needs, in the target folder.
function pythonOfTraining() {
  const home = join(target(), "training-venv");
  const python = join(home, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  if (!existsSync(python)) run(["python3", "-m", "venv", home]);
  const needed = ["evolver", "search"].flatMap((name) => ["-r", join(root, `training/requirements-${name}.txt`)]);
  run([python, "-m", "pip", "install", "--quiet", ...needed]);
  return python;
}

function hasWindow() {
  if (process.platform === "linux") return true;
  console.log("The window's test needs WebKitGTK: left out on this system.");
  return false;
}

/// The window that a WebDriver can drive, beside the one that a person starts.
function buildAutomation() {
  run([...programs, "--features", "evoke-desktop/automation"], automationEnv());
  const folder = join(target(), "automation");
  mkdirSync(folder, { recursive: true });
  copyFileSync(binary("evoke-desktop"), join(folder, "evoke-desktop"));
  return join(folder, "evoke-desktop");
}

/// A private web view (`incognito`) admits no WebDriver. What it would keep is looked for by the test.
function automationEnv() {
  const { app } = JSON.parse(readFileSync(join(root, "src-tauri/tauri.conf.json"), "utf8"));
  const windows = app.windows.map((window) => ({ ...window, incognito: false }));
  return { env: { ...process.env, TAURI_CONFIG: JSON.stringify({ app: { windows } }) } };
}

const wanted = process.argv.slice(2);
const builds = wanted.length === 0 || wanted.some((name) => name !== "training");
if (builds) {
  setup("test");
  buildUi();
}
for (const [name, part] of Object.entries({ ...parts, ...extra })) {
  if (wanted.length > 0 ? !wanted.includes(name) : name in extra) continue;
  const began = Date.now();
  console.log(`\n── ${name}`);
  part();
  console.log(`── ${name}: passed in ${Math.round((Date.now() - began) / 1000)} s`);
}
