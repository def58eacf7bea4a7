// What comes in is accounted for in the real window: a dry run, the import on its way, a receipt that adds up,
// every record that was not kept, the undo; then two people who are merged and split again without loss.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { kept, lost, makeExports, makeTrip } from "./exports.mjs";
import { closeWindow, evoke, failed } from "./person.mjs";
import { logOf, onStage, until } from "./stage.mjs";
import { keys, openWindow } from "./webdriver.mjs";

const path = 'input[aria-label="Path of an export on this computer"]';
const look = 'article[aria-label^="What an import of"]';
const running = 'article[aria-label^="Import of"]';
const receipt = 'article[aria-label^="Receipt of"]';
const dialog = '[role="dialog"]';
const status = "footer.status";
const pane = ".people > aside";

/** A button by its text, within elements that an XPath names. */
const button = (text, within = "") => `//${within}button[normalize-space()="${text}"]`;

/** `app` is built with the feature "automation"; pictures go to `shots`. */
export async function account(app, shots) {
  await onStage(async (stage) => {
    mkdirSync(shots, { recursive: true });
    const exports = makeExports(join(stage.folder, "exports"));
    const page = await openWindow(stage, app).catch((error) => {
      throw new Error(`the window did not open: ${error.message}\n${logOf(stage, "window")}`);
    });
    for (const [what, step] of Object.entries(steps)) {
      await step({ page, stage, exports, shots }).catch((error) => failed(page, shots, what, error));
      console.log(`  ${what}`);
    }
    await closeWindow(stage, page);
  });
}

export const steps = {
  "a dry run tells format, talks, people, span and what would be left out, and saves nothing": dryRun,
  "an import is seen on its way, stage by stage": progress,
  "the receipt adds up, in the window and in the terminal": receipts,
  "every record that was skipped is listed with its place and reason, by pages": skipped,
  "an import is undone once the question is answered so, and can be made again": undo,
  "who is the owner is asked, the best guess first": whoIsMe,
  "two people are merged, and split again without loss": mergeAndSplit,
  "pictures and recordings are shown, a document is found by its words": media,
  "no error on the console, no breach of the page's policy": noFaults,
};

async function dryRun({ page, exports, shots }) {
  await page.type(path, exports.telegram + keys.enter);
  await page.untilText(look, "Nothing is saved yet.");
  const text = await page.text(look);
  for (const part of ["Format Telegram", "1 conversation Harbour", "3 people", "Ana Pereira", "From – to", "2023"]) {
    assert.ok(text.includes(part), `${part} in: ${text}`);
  }
  assert.deepEqual(await terms(page, look), {
    seen: kept.telegram + lost.skipped + lost.failed, new: kept.telegram, changed: 0, known: 0,
    "to skip": lost.skipped, unreadable: lost.failed,
  });
  assert.equal((await page.call({ call: "status" })).archive.messages, 0);
  await page.shoot(shots, "dry-run");
  await page.click(button("Not now"));
  await page.until("the card is gone", `return document.querySelector('${look}') === null`);
}

async function progress({ page, exports, shots }) {
  await bring(page, exports.long, kept.long);
  await page.untilText(running, "Words searchable");
  await page.shoot(shots, "progress");
  await page.untilText(receipt, "finished");
  await page.untilText(status, `${kept.long} messages`);
}

async function receipts({ page, stage, exports, shots }) {
  await bring(page, exports.telegram, kept.telegram);
  await page.untilText(receipt, "harbour.json");
  const { seen, ...parts } = await terms(page, receipt);
  assert.equal(Object.values(parts).reduce((a, b) => a + b, 0), seen, JSON.stringify(parts));
  assert.deepEqual([parts.added, parts.skipped, parts.failed], [kept.telegram, lost.skipped, lost.failed]);
  const { receipt: told } = evoke(stage, "imports", "show", "2");
  assert.deepEqual([told.seen, told.added, told.skipped, told.failed], [seen, parts.added, parts.skipped, parts.failed]);
  await page.shoot(shots, "receipt");
}

async function skipped({ page, shots }) {
  const list = '[role="region"][aria-label="Skipped records"]';
  await page.click(button(`Show ${lost.skipped}`));
  await page.untilText(list, "message without text");
  assert.match(await page.text(list), /harbour\.json/);
  await page.untilText(receipt, `1–50 of ${lost.skipped}`);
  await page.shoot(shots, "skipped");
  await page.click('button[aria-label="Next page"]');
  await page.untilText(receipt, `51–${lost.skipped} of ${lost.skipped}`);
  await page.click(button(`Show ${lost.failed}`));
  await page.untilText('[role="region"][aria-label="Failed records"]', "harbour.json");
}

async function undo({ page, stage, exports, shots }) {
  await page.click(button("Undo", `article[starts-with(@aria-label, "Receipt of")][contains(., "harbour.json")]//`));
  await page.untilText(dialog, `${kept.telegram} messages`);
  assert.match(await page.text(dialog), /only this import brought.*You can import it again at any time/);
  await page.shoot(shots, "undo");
  await page.press(keys.escape);
  await page.until("the question is gone", `return document.querySelector('${dialog}') === null`);
  assert.equal((await page.call({ call: "status" })).archive.messages, kept.long + kept.telegram);

  await page.click(button("Undo", `article[starts-with(@aria-label, "Receipt of")][contains(., "harbour.json")]//`));
  // It can be answered once it is counted what would go.
  await page.untilText(dialog, "only this import brought");
  await page.click(button("Undo the import"));
  await page.untilText(status, `${kept.long} messages`);
  await page.untilText(receipt, "undone");
  assert.ok(evoke(stage, "imports", "show", "2").receipt.undone > 0);
  await page.shoot(shots, "undone");

  await bring(page, exports.telegram, kept.telegram);
  await page.untilText(status, `${kept.long + kept.telegram} messages`);
  await bring(page, exports.whatsapp, kept.whatsapp);
  await page.untilText(status, `${kept.long + kept.telegram + kept.whatsapp} messages`);
  await page.until("all imports have ended", `return document.querySelector('${running}') === null`);
}

async function whoIsMe({ page, shots }) {
  const asked = 'article[aria-label^="Which one is you in WhatsApp"]';
  await page.untilText(asked, "Jonas Weber");
  assert.equal(await page.run(`return document.querySelector('${asked} input[type=checkbox]').ariaLabel`), "Jonas Weber is me");
  await page.run(`document.querySelector('${asked}').scrollIntoView()`);
  await page.shoot(shots, "which-one-is-you");
  await page.click(button("None of these", `article[starts-with(@aria-label, "Which one is you in WhatsApp")]//`));
  await page.until("it is asked once", `return document.querySelector('${asked}') === null`);
}

async function mergeAndSplit({ page, stage, shots }) {
  const digest = () => evoke(stage, "home", "--digest").digest;
  const before = digest();
  await page.go("People");
  await page.click('section[aria-label="Suggestions"] > button');
  await page.untilText('section[aria-label="Suggestions"]', "both talk with");
  await page.shoot(shots, "suggestions");
  await page.click(`//li[count(.//b[normalize-space()="Ana Pereira"])=2]${button("Same person")}`);
  await page.untilText(pane, "2 identities");
  await page.untilText(pane, "Harbour");
  assert.notEqual(digest(), before);
  const merged = evoke(stage, "people", "show", "Ana Pereira");
  assert.deepEqual([merged.identities.length, merged.person.messages], [2, 4]);
  await page.shoot(shots, "merged");

  await page.click(`${pane} button[aria-label^="Split off"]:not([disabled])`);
  await page.untilText(pane, "Known from");
  await until("the archive is as it was", () => digest() === before);
  await page.shoot(shots, "split");
}

async function media({ page, exports, shots }) {
  const preview = '[aria-label="Messages around the hit"]';
  await page.go("Sources");
  await page.type(path, makeTrip(join(exports.telegram, "..", "trip")) + keys.enter);
  await page.untilText(look, "Keep encrypted copies of 2 pictures and recordings");
  await page.shoot(shots, "copies-of-pictures");
  await page.click(button("Import 5"));
  await page.untilText(status, `${kept.long + kept.telegram + kept.whatsapp + 5} messages`);
  await page.go("Search");
  await page.type('search input[type="text"]', "ocelots");
  await page.untilText('[role="listbox"][aria-label="Hits"]', "ferry.txt");
  await page.untilText(`${preview} [aria-label="Found in ferry.txt"]`, "ocelots do not");
  await page.until("the picture is drawn", `return document.querySelector('${preview} img[alt^="Picture"]')?.naturalWidth === 240`);
  await page.until("the recording is decoded", `return document.querySelector('${preview} audio')?.duration > 0`);
  await page.untilText(`${preview} .missing`, "IMG-20230602-WA0003.jpg");
  await page.shoot(shots, "attachments");
}

async function noFaults({ page }) {
  assert.deepEqual(await page.faults(), []);
}

/** Looks at an export and imports what is new in it. */
async function bring(page, file, fresh) {
  await page.type(path, file + keys.enter);
  await page.untilText(look, "Nothing is saved yet.");
  await page.click(button(`Import ${fresh}`));
}

/** Numbers of an equation by their names. */
async function terms(page, card) {
  const all = await page.run(`return [...document.querySelector('${card}').querySelectorAll('.equation button')]
    .map((button) => [button.querySelector('span').textContent, Number(button.querySelector('b').textContent)])`);
  return Object.fromEntries(all);
}
