// `npm run check`: format, lints, types. Clippy runs as the compiler's wrapper over a build that tests
// use too, so that the many dependencies are compiled once and not once more for their metadata.

import { join } from "node:path";
import { setup } from "./setup.mjs";
import { buildUi, root, run } from "./run.mjs";

setup("build");
buildUi();
run(["cargo", "fmt", "--all", "--check"]);
run(["cargo", "build", "--workspace", "--all-targets", "--quiet"], {
  env: { ...process.env, RUSTC_WORKSPACE_WRAPPER: "clippy-driver", CLIPPY_ARGS: "-Dwarnings__CLIPPY_HACKERY__" },
});
run(["npm", "run", "--silent", "check"], { cwd: join(root, "ui") });
console.log("check: passed");
