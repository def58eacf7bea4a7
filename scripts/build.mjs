// `npm run build`: the optimised app and its installer for this system.

import { setup } from "./setup.mjs";
import { buildUi, run } from "./run.mjs";

setup("build");
buildUi();
run(["npx", "--yes", "@tauri-apps/cli@2.12.5", "build", ...process.argv.slice(2)]);
