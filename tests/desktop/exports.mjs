// Small exports that are made up: what the tests of the window and of its pages bring in. Two apps know the
// same people; one export does not say whose it is, one holds records that cannot be kept, one is a copy.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";

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

const trip = `02/06/2023, 09:00 - Ana Pereira: off we go
02/06/2023, 09:01 - Ana Pereira: IMG-20230602-WA0001.png (file attached)
02/06/2023, 09:02 - Jonas Weber: PTT-20230602-WA0002.wav (file attached)
02/06/2023, 09:03 - Jonas Weber: ferry.txt (file attached)
02/06/2023, 09:04 - Ana Pereira: IMG-20230602-WA0003.jpg (file attached)
`;

/** A picture of one colour. @param {number} width @param {number} height */
function picture(width, height) {
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, Buffer.from([52, 106, 168]))]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  /** @param {string} name @param {Buffer} data */
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}

/** Half a second of a tone. */
function recording() {
  const rate = 8000;
  const samples = Buffer.from(Array.from({ length: rate / 2 }, (_, at) => 128 + Math.round(60 * Math.sin((at * 2 * Math.PI * 440) / rate))));
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write("data", 36);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}

/**
 * A chat with its media beside it: a picture, a recording, a document; one more picture is named and not there.
 * @param {string} folder
 */
export function makeTrip(folder) {
  const chat = join(folder, "WhatsApp Chat with the crew");
  mkdirSync(chat, { recursive: true });
  writeFileSync(join(chat, "WhatsApp Chat with the crew.txt"), trip);
  writeFileSync(join(chat, "IMG-20230602-WA0001.png"), picture(240, 160));
  writeFileSync(join(chat, "PTT-20230602-WA0002.wav"), recording());
  writeFileSync(join(chat, "ferry.txt"), "Ferry to the island\n\nDeparture at seven from pier nine. Bicycles travel free, ocelots do not.\n");
  return chat;
}

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
