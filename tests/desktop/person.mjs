// What a person does in the real window, from the first start to forgetting a message: an export is
// imported, found, read, seen in time, forgotten. Then what must be true of the window afterwards.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary, root } from "../../scripts/run.mjs";
import { leftOvers, logOf, onStage, until } from "./stage.mjs";
import { filesWith } from "./traces.mjs";
import { keys, openWindow } from "./webdriver.mjs";

const fixture = join(root, "tests/fixtures/whatsapp/kawsay__kawsay-e2e___chat.txt");
/** The fixture: four messages of two people in one chat. The word stands in one of them only. */
const known = { messages: 4, word: "lighthouse", text: "I still remember our trip to the lighthouse", day: "2023-03-13" };

const field = "search input[type=text]";
const hits = '[role="listbox"][aria-label="Hits"]';

/** `app` is built with the feature "automation"; pictures go to `shots`. */
export async function person(app, shots) {
  await onStage(async (stage) => {
    mkdirSync(shots, { recursive: true });
    const chat = join(stage.folder, "exports", "_chat.txt");
    copyFileSync(fixture, chat);
    const page = await openWindow(stage, app).catch((error) => {
      throw new Error(`the window did not open: ${error.message}\n${logOf(stage, "window")}`);
    });
    for (const [what, step] of Object.entries(steps)) {
      await step({ page, stage, chat, shots }).catch((error) => failed(page, shots, what, error));
      console.log(`  ${what}`);
    }
    await closed(stage, page);
    nothingIsLeft(stage, chat);
    console.log("  closed; its words are in no file of the web view, nor in the archive as they are");
  });
}

const steps = {
  "the first start greets, and says what is promised": greets,
  "a path typed is looked at, and nothing is saved": looksAtIt,
  "imported, with a receipt that adds up": imports,
  "the status bar's figures are true": figures,
  "a word is found, and Enter opens it where it was said": finds,
  "the timeline has its bars, and the day its conversation": timeline,
  "pictures of Search and Timeline, light and dark": pictures,
  "a forgotten message is found no more": forgets,
  "no error on the console, no breach of the page's policy": noFaults,
};

async function greets({ page }) {
  await page.untilText("h1", "Everything stays on this computer");
  const { blocked, sentence } = (await page.call({ call: "status" })).network;
  assert.equal(blocked, true, sentence);
  assert.match(await page.text('section[aria-label="Promise"]'), /No network The operating system keeps Evoke/);
}

async function looksAtIt({ page, chat }) {
  await page.type('input[aria-label="Path of an export on this computer"]', chat + keys.enter);
  const card = 'article[aria-label^="What an import of"]';
  await page.untilText(card, `${known.messages} messages, all of them new.`);
  assert.match(await page.text(card), /WhatsApp.*Nothing is saved yet/);
  assert.equal((await page.call({ call: "status" })).archive.messages, 0);
}

async function imports({ page }) {
  await page.click('article[aria-label^="What an import of"] .primary');
  const receipt = 'article[aria-label^="Receipt of"]';
  await page.untilText(receipt, "finished");
  const terms = await page.run(`return [...document.querySelectorAll('${receipt} .equation button')]
    .map((button) => [button.querySelector('span').textContent, Number(button.querySelector('b').textContent)])`);
  const { seen, ...kept } = Object.fromEntries(terms);
  assert.equal(Object.values(kept).reduce((a, b) => a + b, 0), seen, JSON.stringify(terms));
  assert.equal(kept.added, known.messages);
  assert.equal(kept.failed, 0);
  const [job] = await page.call({ call: "jobs" });
  assert.equal(job.state, "done");
}

async function figures({ page, stage }) {
  const bar = "footer.status";
  await page.untilText(bar, `${known.messages} messages · 1 source · index 100 % · 0 network connections`);
  // Another door, in a process of its own, must say the same.
  const { archive, index } = evoke(stage, "status");
  assert.deepEqual([archive.messages, archive.sources, index.percent], [known.messages, 1, 100]);
}

async function finds({ page }) {
  await search(page, known.word);
  const first = `${hits} [role="option"]`;
  await page.untilText(first, known.text);
  assert.equal(await page.text(`${first} mark`), known.word);
  await page.press(keys.enter);
  await page.untilText(".conversation .hit", known.text);
  await page.press(keys.escape);
  await page.untilText(first, known.text);
}

async function timeline({ page }) {
  await page.go("Timeline");
  const drawn = `return [...document.querySelectorAll('section[aria-label="Messages over time"] path.band')]
    .some((band) => (band.getAttribute('d') ?? '').length > 0)`;
  await page.until("bars are drawn", drawn);
  const table = await page.run(`return [...document.querySelectorAll('.sr table tbody tr')]
    .map((row) => Number(row.lastElementChild.textContent))`);
  assert.equal(table.reduce((a, b) => a + b, 0), known.messages);
  await page.click(`[data-date="${known.day}"]`);
  await page.untilText('section[aria-label="Day"]', known.text);
}

async function pictures({ page, shots }) {
  for (const theme of ["light", "dark"]) {
    await page.setTheme(theme);
    await page.go("Timeline");
    await page.screenshot(join(shots, `timeline-${theme}.png`));
    await page.go("Search");
    await page.untilText('aside[aria-label="Preview"] .hit', known.text);
    await page.screenshot(join(shots, `search-${theme}.png`));
  }
}

async function forgets({ page }) {
  await search(page, known.word);
  await page.untilText(`${hits} [aria-selected="true"]`, known.text);
  // Keys belong to the field until it is left.
  await page.press(keys.escape);
  await page.press(keys.delete);
  await page.untilText('[role="dialog"]', "Forget 1 message");
  await page.click('[role="dialog"] .danger');
  await page.untilText("footer.status", `${known.messages - 1} messages`);
  const found = await page.call({ call: "search", query: { ...everything, text: known.word } });
  assert.ok(found.hits.every((hit) => !hit.message.text.includes(known.word)), "a hit still holds the word");
  await until("the text has left the screen", async () => !(await page.text("main")).includes(known.text));
}

async function noFaults({ page }) {
  assert.deepEqual(await page.faults(), []);
}

const everything = {
  text: "", sources: [], kinds: [], people: [], conversations: [], from: null, until: null,
  sort: "best", mode: "hybrid", offset: 0, limit: 30,
};

/** Types into the field as a person does, in place of what stood there. */
async function search(page, words) {
  await page.go("Search");
  await page.until("the field is there", `return document.querySelector('${field}') !== null`);
  await page.run(`document.querySelector('button[aria-label="Clear"]')?.click()`);
  await page.type(field, words);
}

/** Asks a process of its own, as the terminal does. */
export function evoke(stage, ...args) {
  const out = spawnSync(binary("evoke"), ["--json", ...args], { env: stage.env, encoding: "utf8" });
  assert.equal(out.status, 0, out.stderr || out.stdout);
  return JSON.parse(out.stdout);
}

/** Closes the window and waits until its program has ended. */
export async function closeWindow(stage, page) {
  await page.close();
  await until("the app has ended", () => !leftOvers(stage).some(({ name }) => name.startsWith("evoke-desktop")));
}

async function closed(stage, page) {
  await closeWindow(stage, page);
  assert.equal(evoke(stage, "status").archive.messages, known.messages - 1);
}

/** The words of the export stand in the export, as this very search finds, and nowhere else. */
function nothingIsLeft(stage, chat) {
  const { files, runtime, home } = stage.person;
  writeFileSync(join(stage.folder, "exports", "as-utf16"), known.text, "utf16le");
  assert.equal(filesWith(known.word, [join(stage.folder, "exports")]).length, 2, `the search must find it in ${chat}`);
  for (const word of [known.word, "sweetheart"]) assert.deepEqual(filesWith(word, [files, runtime, home]), []);
}

/** Says what was shown when a step failed. */
export async function failed(page, shots, what, error) {
  const picture = join(shots, "failed.png");
  const shown = await page.screenshot(picture).then(
    () => `what was shown: ${picture}`,
    () => "the window showed nothing any more",
  );
  const faults = await page.faults().catch(() => []);
  throw new Error([`${what}: ${error.message}`, shown, ...faults].join("\n"), { cause: error });
}
