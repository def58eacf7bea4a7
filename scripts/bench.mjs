// `npm run bench`: the scale benchmark (benches/scale.mjs) on generated messages. What it printed on
// which machine is kept in benches/README.md.

import { join } from "node:path";
import { setup } from "./setup.mjs";
import { buildUi, root, run } from "./run.mjs";

setup("build");
buildUi();
run(["cargo", "build", "--workspace", "--bins", "--quiet"]);
run(["node", join(root, "benches/scale.mjs"), ...process.argv.slice(2)]);
