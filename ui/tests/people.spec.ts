// Who is who: suggested with evidence, merged and split again, and shown as one across sources. The archive
// is the one that account.spec.ts fills, which runs before; alone, this file fills what it needs.

import { join } from 'node:path';
import { makeExports } from '../../tests/desktop/exports.mjs';
import { testFolder } from './archives';
import { expect, messagesFound, rows, test, type Page } from './page';

test.describe.configure({ mode: 'serial' });
test.use({ archive: 'made' });

const go = (page: Page, view: string) =>
  page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view }).click();
const pane = (page: Page) => page.locator('.people > aside');
const identities = (page: Page) => pane(page).getByRole('list', { name: 'Identities' }).getByRole('listitem');
const everyone = (page: Page) => page.getByRole('listbox', { name: 'People' });
const anas = (page: Page) => everyone(page).getByRole('option', { name: /Ana Pereira/ });

async function call(page: Page, what: object): Promise<unknown> {
  return page.evaluate(async (body) => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch('/call', { method: 'POST', headers, body: JSON.stringify(body) })).json();
  }, what);
}

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage();
  await page.goto(process.env['EVOKE_PAGES_MADE'] ?? '');
  const { telegram, whatsapp } = makeExports(join(testFolder(), 'exports'));
  const note = join(testFolder(), 'person/Notes/Flat hunt.md');
  await call(page, { call: 'import', paths: [telegram, whatsapp, note], zone: null, again: false, me: null });
  await expect
    .poll(async () => JSON.stringify(await call(page, { call: 'jobs' })), { timeout: 60_000 })
    .not.toContain('"running"');
  await page.close();
});

test('who may be one stands above the list with its evidence; nothing is merged by itself', async ({
  page,
}) => {
  await go(page, 'People');
  await expect(anas(page)).toHaveCount(2);
  const suggestions = page.getByRole('region', { name: 'Suggestions' });
  await suggestions.getByRole('button', { name: /may be the same person/ }).click();
  const pair = suggestions.getByRole('listitem').filter({ hasText: /Ana Pereira.*and.*Ana Pereira/ });
  await expect(pair.locator('.why').first()).not.toBeEmpty();
  await pair.getByRole('button', { name: 'Same person' }).click();
  await expect(anas(page)).toHaveCount(1);
  // It stays where it stood: what comes next is not pushed under the pointer.
  await expect(pair).toContainText('one person now');
  await expect(pair.getByRole('button', { name: 'Same person' })).toHaveCount(0);
  await expect(identities(page)).toHaveCount(2);
});

test('a person’s page has identities, contact, months, conversations and notes', async ({ page }) => {
  await go(page, 'People');
  await anas(page).click();
  await expect(identities(page)).toHaveCount(2);
  await expect(pane(page).locator('dl')).toContainText(/First contact\s*1 May 2023/);
  await expect(pane(page).getByRole('img', { name: /^Messages a month of Ana Pereira/ })).toBeVisible();
  await expect(pane(page).getByRole('list', { name: 'Conversations' })).toContainText('Harbour');
  await expect(pane(page).getByRole('list', { name: 'Notes that mention them' })).toContainText('Flat hunt');

  const said = Number((await pane(page).locator('.head p').innerText()).replace(/\D/g, ''));
  await pane(page).getByRole('button', { name: 'What they said' }).click();
  await expect(page.locator('.chips .chip')).toHaveText('fromAna Pereira');
  await expect(rows(page).first()).toBeVisible();
  await expect.poll(() => messagesFound(page)).toBe(said);
  await go(page, 'People');
  await anas(page).click();
  await pane(page).getByRole('button', { name: 'Talks with them' }).click();
  await expect(page.locator('.chips .chip')).toContainText('Ana Pereira');
  await expect.poll(() => messagesFound(page)).toBeGreaterThan(said);
});

test('an identity is split off, and merged again by hand', async ({ page }) => {
  await go(page, 'People');
  await anas(page).click();
  await pane(page)
    .getByRole('button', { name: /^Split off Ana Pereira/ })
    .last()
    .click();
  await expect(anas(page)).toHaveCount(2);
  await expect(identities(page)).toHaveCount(1);
  await expect(page.getByRole('status')).toContainText('No message was changed');

  await pane(page).getByRole('button', { name: 'Merge with …' }).click();
  const merge = page.getByRole('dialog', { name: 'Merge two people' });
  await merge.getByRole('searchbox').fill('ana per');
  await merge.getByRole('listitem').first().getByRole('button').click();
  await expect(merge).toContainText('No message is changed, and each identity can be split off again.');
  await merge.getByRole('button', { name: 'Merge', exact: true }).click();
  await expect(merge).toBeHidden();
  await expect(anas(page)).toHaveCount(1);
  await expect(identities(page)).toHaveCount(2);

  await pane(page)
    .getByRole('button', { name: /^Split off Ana Pereira/ })
    .last()
    .click();
  await expect(anas(page)).toHaveCount(2);
});

test('two of one name who are different are not suggested again', async ({ page }) => {
  await go(page, 'People');
  const suggestions = page.getByRole('region', { name: 'Suggestions' });
  await suggestions.getByRole('button', { name: /may be the same person/ }).click();
  const pair = suggestions.getByRole('listitem').filter({ hasText: /Ana Pereira.*and.*Ana Pereira/ });
  await pair.getByRole('button', { name: 'Different' }).click();
  await expect(pair).toContainText('two people');
  await page.reload();
  await expect(anas(page)).toHaveCount(2);
  await expect(pair).toHaveCount(0);
  await expect(anas(page)).toHaveCount(2);
});
