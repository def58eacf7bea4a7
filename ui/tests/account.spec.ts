// Everything that comes in is accounted for: what is on this computer, a dry run, its receipt, every record
// that was not kept, who is the owner, the time zone, copies, folders that are kept up to date, and the undo.
// One archive is filled step by step, so the tests follow on each other.

import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { kept, lost, makeExports, makeTrip } from '../../tests/desktop/exports.mjs';
import { testFolder } from './archives';
import { ask, chosen, expect, field, messagesFound, rows, test, type Page } from './page';

test.describe.configure({ mode: 'serial' });
test.use({ archive: 'made' });

const exports = () => makeExports(join(testFolder(), 'exports'));
const go = (page: Page, view: string) =>
  page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view }).click();
const sources = async (page: Page) => {
  if ((await page.getByRole('navigation', { name: 'Views' }).count()) > 0) await go(page, 'Sources');
  else await page.goto(`${page.url().split('#')[0]}#sources`);
  await expect(page.getByRole('heading', { level: 1, name: 'Sources' })).toBeVisible();
};
const lookAt = async (page: Page, path: string) => {
  await page.getByLabel('Path of an export on this computer').fill(path);
  await page.keyboard.press('Enter');
  return page.getByRole('article', { name: /^What an import of/ });
};
const receiptOf = (page: Page) => page.getByRole('article', { name: /^Receipt of/ });
const list = (page: Page, name: string) =>
  page.getByRole('group', { name: 'What is listed' }).getByRole('button', { name }).click();

/** Numbers of an equation by their names. */
async function terms(card: ReturnType<typeof receiptOf>): Promise<Record<string, number>> {
  const all = await card
    .locator('.equation button')
    .evaluateAll((buttons) =>
      buttons.map((button) => [
        button.querySelector('span')?.textContent ?? '',
        Number(button.querySelector('b')?.textContent?.replace(/\D/g, '')),
      ]),
    );
  return Object.fromEntries(all);
}
async function imported(page: Page, path: string): Promise<void> {
  const look = await lookAt(page, path);
  await look.getByRole('button', { name: /^Import \d/ }).click();
  await expect(receiptOf(page).first()).toContainText('finished');
}

test('the first run lists what is here, ticks nothing, and opens nothing', async ({ page }) => {
  const calls: string[] = [];
  page.on('request', (request) => calls.push(request.postDataJSON()?.call ?? ''));
  await expect(page.getByRole('heading', { name: 'Found on this computer' })).toBeVisible();
  const boxes = page.getByRole('checkbox');
  await expect(boxes).toHaveCount(3);
  await expect(page.locator('.found').first()).toContainText(/Obsidian vault.*2 files/);
  await expect(page.locator('.found').first()).toContainText('Claude Code sessions');
  for (const box of await boxes.all()) await expect(box).not.toBeChecked();
  expect(calls).not.toContain('dry_run');

  await page.getByRole('checkbox', { name: /^WhatsApp chat/ }).check();
  await page.getByRole('button', { name: 'Look at 1' }).click();
  const look = page.getByRole('article', { name: /^What an import of/ });
  await expect(look).toContainText('Nothing is saved yet.');
  await look.getByRole('button', { name: 'Not now' }).click();
  await expect(look).toHaveCount(0);
});

test('a dry run says what, with whom, from when to when, and what would be left out', async ({ page }) => {
  await sources(page);
  const look = await lookAt(page, exports().telegram);
  await expect(look).toContainText('all of them new');
  await expect(look.locator('dl')).toContainText(/Format\s*Telegram/);
  await expect(look.locator('dl')).toContainText(/1 conversation\s*Harbour/);
  await expect(look.locator('dl')).toContainText(/3 people/);
  await expect(look.locator('dl')).toContainText('1 May 2023');
  const found = await terms(look);
  expect(found).toEqual({
    seen: kept.telegram + lost.skipped + lost.failed,
    new: kept.telegram,
    changed: 0,
    known: 0,
    'to skip': lost.skipped,
    unreadable: lost.failed,
  });
  await expect(page.locator('footer.status')).toContainText('0 messages');
});

test('the receipt adds up; what was not kept is listed by pages and saved as a file', async ({ page }) => {
  await sources(page);
  await imported(page, exports().telegram);
  const receipt = receiptOf(page);
  const { seen, ...parts } = await terms(receipt);
  expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBe(seen);
  expect(parts).toMatchObject({ added: kept.telegram, skipped: lost.skipped, failed: lost.failed });

  await receipt.getByRole('button', { name: `Show ${lost.skipped}` }).click();
  const skipped = receipt.getByRole('region', { name: 'Skipped records' });
  await expect(skipped.getByRole('row')).toHaveCount(51);
  await expect(skipped).toContainText('harbour.json');
  await expect(receipt).toContainText('1–50 of 70');
  await receipt.getByRole('button', { name: 'Next page' }).click();
  await expect(receipt).toContainText('51–70 of 70');
  await expect(skipped.getByRole('row')).toHaveCount(21);

  const file = join(testFolder(), 'lost.csv');
  page.once('dialog', (dialog) => void dialog.accept(file));
  await receipt.getByRole('button', { name: 'Save the list …' }).click();
  await expect(page.getByRole('status')).toContainText('Saved: 73 records');
  expect(readFileSync(file, 'utf8').trim().split('\r\n')).toHaveLength(1 + lost.skipped + lost.failed);

  await receipt.getByRole('button', { name: `Show ${lost.failed}` }).click();
  await expect(receipt.getByRole('region', { name: 'Failed records' }).getByRole('row')).toHaveCount(4);
});

test('wall times are read in the zone that is chosen, before and after the import', async ({ page }) => {
  await sources(page);
  const look = await lookAt(page, exports().whatsapp);
  await expect(look).toContainText(`${kept.whatsapp} messages say what the clock showed`);
  const order = look.getByRole('group', { name: 'Order of the dates of this export' });
  await expect(order.getByRole('button', { name: 'Day first' })).toHaveAttribute('aria-pressed', 'true');
  await order.getByRole('button', { name: 'Month first' }).click();
  await expect(look).toContainText(/5 Feb 2023|Feb 5, 2023/);
  await order.getByRole('button', { name: 'Day first' }).click();
  await expect(look).toContainText(/2 May 2023|May 2, 2023/);
  const zone = look.getByRole('combobox', { name: 'Time zone of this export' });
  await expect(zone).toHaveValue('Europe/Berlin');
  await zone.selectOption('America/Sao_Paulo');
  await expect(zone).toBeEnabled();
  await look.getByRole('button', { name: /^Import \d/ }).click();
  await expect(receiptOf(page).first()).toContainText('WhatsApp');

  await page
    .getByRole('complementary', { name: 'Sources' })
    .getByRole('button', { name: /WhatsApp/ })
    .click();
  const ofSource = page.getByRole('combobox', { name: 'Time zone of WhatsApp' });
  await expect(ofSource).toHaveValue('America/Sao_Paulo');
  await ofSource.selectOption('Europe/Berlin');
  await expect(page.getByRole('status')).toContainText('wall times are read in Europe/Berlin');
  await go(page, 'Search');
  await ask(page, '"the lease is signed"');
  await expect(rows(page).first().locator('time')).toHaveAttribute('title', /10:00$/);
});

test('“Which one is you” is asked once an import, the best guess first', async ({ page }) => {
  await sources(page);
  const asked = page.getByRole('article', { name: /^Which one is you in WhatsApp/ });
  await expect(asked.getByRole('checkbox').first()).toHaveAccessibleName('Jonas Weber is me');
  await expect(asked.getByRole('checkbox').first()).toBeChecked();
  await expect(asked.getByRole('checkbox').nth(1)).not.toBeChecked();
  await asked.getByRole('button', { name: 'I am Jonas Weber' }).click();
  await expect(asked).toHaveCount(0);
  // What was said of one app is the best guess in the next.
  const other = page.getByRole('article', { name: /^Which one is you in harbour\.json/ });
  await expect(other).toContainText('has the name that you have in whatsapp');
  await other.getByRole('checkbox').first().uncheck();
  await expect(other.getByRole('button', { name: 'I am …' })).toBeDisabled();
  await other.getByRole('button', { name: 'None of these' }).click();
  await expect(other).toHaveCount(0);
  await page.reload();
  await sources(page);
  await expect(page.getByRole('heading', { name: 'On this computer' })).toBeVisible();
  await expect(other).toHaveCount(0);
  await go(page, 'Search');
  await ask(page, 'from:me boat');
  await expect(rows(page).first()).toContainText('then the boat is ours');
});

test('what is attached is a filter, and what is missing says why', async ({ page }) => {
  await ask(page, 'source:whatsapp');
  const facets = page.getByRole('complementary', { name: 'Narrow by' });
  await facets.getByRole('button', { name: /a picture/ }).click();
  await expect(page.locator('.chips .chip')).toContainText(['WhatsApp'.toLowerCase(), 'a picture']);
  await expect.poll(() => messagesFound(page)).toBe(1);
  await expect(page.locator('.preview .attachment.missing').first()).toContainText(
    /IMG-20230502-WA0001\.jpg/,
  );
  await page.locator('.chips').getByRole('button', { name: 'Remove has a picture' }).click();
  await ask(page, 'has:link');
  await expect.poll(() => messagesFound(page)).toBe(1);
  await expect(rows(page).first()).toContainText('tides');
});

test('a copy from another program is shown once, with where both were seen, and can be parted', async ({
  page,
}) => {
  await sources(page);
  await imported(page, exports().copy);
  await list(page, 'Copies');
  const copies = page.getByRole('list', { name: 'Copies' });
  await expect(copies.getByRole('listitem')).toHaveCount(kept.telegram);

  await go(page, 'Search');
  await ask(page, '"violin"');
  expect(await messagesFound(page)).toBe(1);
  await expect(chosen(page)).toContainText('violin');
  await field(page).press('Escape');
  await page.keyboard.press('w');
  const origin = page.getByRole('dialog', { name: 'Where it was seen' });
  await expect(origin).toContainText('Seen in 2 exports');
  await expect(origin.getByRole('list', { name: 'Exports' })).toContainText('harbour, once more.json');
  await origin.getByRole('button', { name: 'Not the same' }).click();
  await expect(origin).toContainText('Seen in 1 export');
  await page.keyboard.press('Escape');
  await expect.poll(() => messagesFound(page)).toBe(2);

  await go(page, 'Sources');
  await list(page, 'Copies');
  await expect(copies.getByRole('listitem')).toHaveCount(kept.telegram - 1);
  await copies.getByRole('button', { name: 'Not the same' }).first().click();
  await expect(copies.getByRole('listitem')).toHaveCount(kept.telegram - 2);
});

test('a vault is kept up to date, and no longer when that is said', async ({ page }) => {
  await sources(page);
  const found = page.getByRole('region', { name: 'On this computer' });
  await found
    .locator('li', { hasText: 'Obsidian vault' })
    .getByRole('button', { name: 'Keep up to date' })
    .click();
  const watched = page.getByRole('list', { name: 'Watched folders' });
  await expect(watched).toContainText(/person\/Notes\s*2 files, read today/);
  await expect(found.locator('li', { hasText: 'Obsidian vault' })).toContainText('kept up to date');
  await expect(page.locator('footer.status')).toContainText('3 sources');
  await watched.getByRole('button', { name: /^Stop watching/ }).click();
  await expect(watched).toHaveCount(0);
  await expect(page.locator('footer.status')).toContainText('3 sources');
});

test('imports of old are listed; one is undone only when the question is answered so', async ({ page }) => {
  await sources(page);
  await list(page, 'Imports');
  const imports = page.getByRole('list', { name: 'Imports' });
  await expect(imports.getByRole('listitem')).toHaveCount(4);
  await imports.getByRole('button', { name: /^Show the receipt of .*WhatsApp Chat/ }).click();
  const receipt = receiptOf(page).first();
  await expect(receipt).toHaveAccessibleName('Receipt of WhatsApp');
  expect((await terms(receipt))['added']).toBe(kept.whatsapp);

  await receipt.getByRole('button', { name: 'Undo' }).click();
  const question = page.getByRole('dialog', { name: 'Undo an import' });
  await expect(question).toContainText(
    /^.*4 messages of 2 May 2023 that only this import brought go, and with them/,
  );
  await expect(question).toContainText('You can import it again at any time.');
  await expect(question.getByRole('button', { name: 'Keep' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(question).toBeHidden();
  await expect(receipt).not.toContainText('undone');

  await receipt.getByRole('button', { name: 'Undo' }).click();
  await question.getByRole('button', { name: 'Undo the import' }).click();
  await expect(question).toBeHidden();
  await expect(receipt).toContainText('undone');
  await expect(imports).toContainText('undone');
  await expect(page.locator('footer.status')).toContainText('2 sources');
  // It may be brought in again.
  await imported(page, exports().whatsapp);
  await expect(page.locator('footer.status')).toContainText('3 sources');
});

test('pictures and recordings are shown, a document is found by its words, a copy outlives the export', async ({
  page,
}) => {
  const chat = makeTrip(join(testFolder(), 'exports'));
  await sources(page);
  const look = await lookAt(page, chat);
  await expect(look).toContainText('Keep encrypted copies of 2 pictures and recordings');
  await look.getByRole('checkbox', { name: 'Keep copies of pictures and recordings' }).check();
  await look.getByRole('button', { name: /^Import \d/ }).click();
  await expect(receiptOf(page).first()).toContainText('Pictures and recordings copied into the archive: 2.');
  renameSync(chat, `${chat}, moved`);

  await go(page, 'Search');
  await ask(page, 'ocelots');
  await expect(rows(page).first()).toContainText('ferry.txt');
  const preview = page.getByRole('region', { name: 'Messages around the hit' });
  await expect(preview.getByLabel('Found in ferry.txt')).toContainText(
    'Bicycles travel free, ocelots do not.',
  );
  await expect(preview.getByLabel('Found in ferry.txt').locator('mark')).toHaveText('ocelots');
  const drawn = preview.getByRole('img', { name: 'Picture, IMG-20230602-WA0001.png' });
  await expect.poll(() => drawn.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(240);
  const played = preview.getByLabel('Recording, PTT-20230602-WA0002.wav');
  await expect.poll(() => played.evaluate((sound: HTMLAudioElement) => sound.duration)).toBeCloseTo(0.5);
  await expect(preview.locator('.missing')).toContainText('IMG-20230602-WA0003.jpg');
});
