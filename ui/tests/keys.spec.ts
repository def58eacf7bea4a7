// The keyboard alone: to the field and out of it, through the hits, into a conversation and back to
// where one was, and to anywhere by the palette.

import { ask, chosen, expect, field, list, rows, test, type Page } from './page';

const rowAt = async (page: Page) => Number(await chosen(page).getAttribute('aria-posinset'));
const scrollOf = (page: Page) => list(page).evaluate((scroller) => scroller.scrollTop);

test('/ goes to the field, Escape leaves it, and letters are keys again', async ({ page }) => {
  await expect(field(page)).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(field(page)).not.toBeFocused();
  await page.keyboard.press('/');
  await expect(field(page)).toBeFocused();
  await page.keyboard.press('j');
  await expect(field(page)).toHaveValue('j');
});

test('j and k move through the hits, Enter opens, Escape comes back to the row and the scroll', async ({
  page,
}) => {
  await ask(page, 'Knödel');
  await page.keyboard.press('Escape');
  const first = await rowAt(page);
  await page.keyboard.press('j');
  expect(await rowAt(page)).toBe(first + 1);
  await page.keyboard.press('k');
  expect(await rowAt(page)).toBe(first);

  for (let i = 0; i < 14; i += 1) await page.keyboard.press('j');
  // A folded row unfolds at Enter; here one that opens is wanted.
  if ((await chosen(page).locator('.fold').count()) > 0) await page.keyboard.press('j');
  await expect.poll(() => scrollOf(page)).toBeGreaterThan(0);
  const [row, scroll] = [await rowAt(page), await scrollOf(page)];
  const said = await chosen(page).locator('p').innerText();

  await page.keyboard.press('Enter');
  await expect(page.locator('.conversation .hit')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(chosen(page).locator('p')).toHaveText(said);
  expect(await rowAt(page)).toBe(row);
  await expect.poll(() => scrollOf(page)).toBe(scroll);
  await expect(field(page)).toHaveValue('Knödel');
});

test('arrows move the hits while one types', async ({ page }) => {
  await ask(page, 'Knödel');
  const first = await rowAt(page);
  await page.keyboard.press('ArrowDown');
  expect(await rowAt(page)).toBe(first + 1);
  await expect(field(page)).toBeFocused();
});

test('Ctrl+K leads to a person, to a view, and away again', async ({ page }) => {
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Commands' });
  await palette.getByRole('combobox').fill('haru');
  await expect(palette.getByRole('option', { selected: true })).toContainText('Haruka');
  await page.keyboard.press('Enter');
  await expect(palette).toBeHidden();
  await expect(page.locator('.chips')).toContainText('Haruka');
  await expect(rows(page).first()).toBeVisible();

  await page.keyboard.press('Control+k');
  // First comes the search for what was typed, then what it may be the name of.
  await palette.getByRole('combobox').fill('timel');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#timeline$/);

  await page.keyboard.press('Control+k');
  await page.keyboard.press('Escape');
  await expect(palette).toBeHidden();
  await page.keyboard.press('Control+1');
  await expect(page).toHaveURL(/#search$/);
});

test('? shows the keys; Backspace in an empty field takes the last filter at the second time', async ({
  page,
}) => {
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
  await page.keyboard.press('Escape');

  await page
    .getByRole('complementary', { name: 'Narrow by' })
    .getByRole('button', { name: 'WhatsApp' })
    .click();
  const chip = page.locator('.chips .chip');
  await expect(chip).toHaveText('WhatsApp');
  await page.keyboard.press('/');
  await page.keyboard.press('Backspace');
  await expect(chip).toHaveClass(/armed/);
  await page.keyboard.press('Backspace');
  await expect(chip).toHaveCount(0);
});
