// The real window, as `npm test -- window` runs it: node run.mjs AUTOMATION_APP PLAIN_APP
// The first is built with the feature "automation" and is driven; the second is what a person starts.

import { join } from "node:path";
import { root } from "../../scripts/run.mjs";
import { account } from "./account.mjs";
import { network } from "./network.mjs";
import { person } from "./person.mjs";

const [automation, plain] = process.argv.slice(2);
const shots = process.env.EVOKE_SHOTS ?? join(root, "target/shots");

const plays = {
  "a person and the window": () => person(automation, shots),
  "everything is accounted for": () => account(automation, shots),
  "the window without a network": () => network(plain, shots),
};

for (const [name, play] of Object.entries(plays)) {
  console.log(name);
  try {
    await play();
  } catch (error) {
    console.error(`\nFailed: ${name}\n${error.message}`);
    process.exit(1);
  }
}
