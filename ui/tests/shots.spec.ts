// Pictures of what issue 4 added, in both themes, for the eye: only where EVOKE_SHOTS names a folder.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeExports } from '../../tests/desktop/exports.mjs';
import { testFolder } from './archives';
import { ask, expect, field, test, type Page } from './page';

const shots = process.env['EVOKE_SHOTS'] ?? '';
test.skip(shots === '', 'no folder for pictures');
test.describe.configure({ mode: 'serial' });

const go = (page: Page, view: string) =>
  page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view }).click();

async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true });
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.screenshot({ path: join(shots, `${name}-${theme}.png`) });
  }
}

test.describe('made', () => {
  test.use({ archive: 'made' });
  test('sources', async ({ page }) => {
    const { telegram, copy, whatsapp } = makeExports(join(testFolder(), 'exports'));
    await expect(page.getByRole('checkbox').first()).toBeVisible();
    await page.getByRole('checkbox').first().check();
    await shoot(page, 'first-found');
    await page.goto(`${page.url().split('#')[0]}#sources`);
    const path = page.getByLabel('Path of an export on this computer');
    const look = page.getByRole('article', { name: /^What an import of/ });
    const bring = async (file: string) => {
      await path.fill(file);
      await page.keyboard.press('Enter');
      await look.getByRole('button', { name: /^Import \d/ }).click();
      await expect(look).toHaveCount(0);
      await expect(page.getByRole('article', { name: /^Receipt of/ }).first()).toContainText('finished');
    };
    await path.fill(whatsapp);
    await page.keyboard.press('Enter');
    await expect(look).toContainText('clock');
    await shoot(page, 'dry-run');
    await look.getByRole('button', { name: 'Not now' }).click();
    await bring(telegram);
    const receipt = page.getByRole('article', { name: /^Receipt of/ }).first();
    await receipt.getByRole('button', { name: 'Show 70' }).click();
    await expect(receipt).toContainText('1–50 of 70');
    await receipt.scrollIntoViewIfNeeded();
    await shoot(page, 'receipt-skipped');
    await bring(whatsapp);
    await shoot(page, 'which-one-is-you');
    await bring(copy);
    await page.getByRole('button', { name: 'Copies' }).click();
    await shoot(page, 'copies');
    await page.getByRole('button', { name: 'Imports' }).click();
    await page
      .locator('li', { hasText: 'Obsidian vault' })
      .getByRole('button', { name: 'Keep up to date' })
      .click();
    await page.getByRole('list', { name: 'Watched folders' }).scrollIntoViewIfNeeded();
    await shoot(page, 'imports-watched');
    await page.getByRole('button', { name: 'Sources', exact: true }).click();
    await page
      .getByRole('button', { name: /^WhatsApp WhatsApp|WhatsApp 1 chat/ })
      .first()
      .click();
    await shoot(page, 'shelf-zone');
    await page.getByRole('button', { name: 'Imports' }).click();
    await page.getByRole('button', { name: /^Undo the import of WhatsApp/ }).click();
    await expect(page.getByRole('dialog')).toContainText('messages');
    await shoot(page, 'undo');
  });
  test('people', async ({ page }) => {
    await go(page, 'People');
    await page.getByRole('button', { name: /may be the same person/ }).click();
    await shoot(page, 'suggestions');
    const pair = page.getByRole('listitem').filter({ hasText: /Ana Pereira.*and.*Ana Pereira/ });
    await pair.getByRole('button', { name: 'Same person' }).click();
    await expect(page.getByRole('list', { name: 'Identities' }).getByRole('listitem')).toHaveCount(2);
    await shoot(page, 'person');
    await page.getByRole('button', { name: 'Merge with …' }).click();
    await expect(page.getByRole('dialog').getByRole('listitem').first()).toBeVisible();
    await shoot(page, 'merge');
    await page.getByRole('dialog').getByRole('listitem').first().getByRole('button').click();
    await shoot(page, 'merge-sure');
  });
  test('search', async ({ page }) => {
    await ask(page, 'has:image');
    await page.getByRole('button', { name: 'Filter' }).click();
    await shoot(page, 'filters');
    await page.keyboard.press('Escape');
    await ask(page, '"violin"');
    await field(page).press('Escape');
    await page.keyboard.press('w');
    await expect(page.getByRole('dialog')).toContainText('Seen in');
    await shoot(page, 'origin');
  });
});

test('a person of many years', async ({ page }) => {
  await go(page, 'People');
  await page.getByRole('option').nth(1).click();
  await expect(page.getByRole('list', { name: 'Conversations' })).toBeVisible();
  await shoot(page, 'person-sample');
  await go(page, 'Sources');
  await expect(page.getByRole('heading', { name: 'On this computer' })).toBeVisible();
  await shoot(page, 'sources-sample');
});
