// Small exports that are made up: what the tests of the window and of its pages bring in. Two apps know the
// same people; one export does not say whose it is, one holds records that cannot be kept, one is a copy.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Records of "harbour.json" that have nothing in them, and those that are no messages. */
export const lost = { skipped: 70, failed: 3 };
/** Messages of "harbour.json" that are kept, of the WhatsApp chat, and of the long log. */
export const kept = { telegram: 5, whatsapp: 4, long: 400 };

const start = 1_682_899_200;

/** @typedef {[minute: number, who: string, text: string]} Line */

/** @type {Line[]} */
const harbour = [
  [0, "Ana Pereira", "shall we meet at the harbour on Sunday"],
  [1, "Jonas Weber", "yes, and see https://example.org/tides before"],
  [2, "Ana Pereira", "bring the violin please"],
  [3, "+49 176 1234567", "I bring the soup"],
  [4, "Jonas Weber", "of course, of course"],
];

/**
 * @param {string} name
 * @param {number} id
 * @param {unknown[]} more
 */
function telegram(name, id, more = []) {
  const messages = harbour.map(([minute, from, text], at) => message(id + at, minute, { from, from_id: `user${from}`, text }));
  return JSON.stringify({ name, type: "private_group", id, messages: [...messages, ...more] });
}

/**
 * @param {number} id
 * @param {number} minute
 * @param {object} rest
 */
function message(id, minute, rest) {
  return { id, type: "message", date: "2023-05-01T00:00:00", date_unixtime: String(start + minute * 60), ...rest };
}

/** Enough that its import can be watched. */
function log() {
  const winds = ["north", "east", "south", "west"];
  const messages = Array.from({ length: kept.long }, (_, at) => {
    const text = `Day ${at + 1}: wind from the ${winds[at % winds.length]}, ${(at * 7) % 40} knots, and the soup was ${at % 2 ? "good" : "cold"}.`;
    return message(20_000 + at, 60 * at, { from: "Olga Brandt", from_id: "user77", text });
  });
  return JSON.stringify({ name: "Log of the boat", type: "private_group", id: 12, messages });
}

/** Records that an import leaves out: empty ones, and ones that are no messages. */
function unkept() {
  const from = { from: "Jonas Weber", from_id: "userJonas Weber" };
  const empty = Array.from({ length: lost.skipped }, (_, at) => message(200 + at, 5 + at, { ...from, text: "" }));
  const broken = Array.from({ length: lost.failed }, () => "torn");
  return [...empty, ...broken];
}

const whatsapp = `02/05/2023, 10:00 - Ana Pereira: the lease is signed
02/05/2023, 10:01 - Jonas Weber: great, then the boat is ours
02/05/2023, 10:02 - Ana Pereira: IMG-20230502-WA0001.jpg (file attached)
02/05/2023, 10:03 - Jonas Weber: what a picture of the lighthouse
`;

/** Writes the exports into a folder, which is made; gives their paths. @param {string} folder */
export function makeExports(folder) {
  mkdirSync(folder, { recursive: true });
  const paths = {
    telegram: join(folder, "harbour.json"),
    copy: join(folder, "harbour, once more.json"),
    long: join(folder, "log.json"),
    whatsapp: join(folder, "WhatsApp Chat with Ana Pereira.txt"),
  };
  writeFileSync(paths.telegram, telegram("Harbour", 11, unkept()));
  writeFileSync(paths.copy, telegram("Harbour, by another program", 5_011));
  writeFileSync(paths.long, log());
  writeFileSync(paths.whatsapp, whatsapp);
  return paths;
}

/** Puts into somebody's home folder what is looked for there. @param {string} home */
export function furnish(home) {
  for (const folder of ["Notes/.obsidian", "Downloads", ".claude/projects/boat"]) {
    mkdirSync(join(home, folder), { recursive: true });
  }
  writeFileSync(join(home, "Notes", "Flat hunt.md"), "---\ncreated: 2023-06-01\n---\nAna Pereira found the flat.\n");
  writeFileSync(join(home, "Notes", "Soup.md"), "Leek, potatoes, a little cream.\n");
  writeFileSync(join(home, ".claude/projects/boat", "5f1c.jsonl"), "{}\n");
  writeFileSync(join(home, "Downloads", "WhatsApp Chat with Ana Pereira.txt"), whatsapp);
}
