// Fewer hits: a range brushed in the histogram, facets, and what a filter that was typed becomes.

import { ask, expect, messagesFound, rows, test, type Page } from './page';

const chips = (page: Page) => page.locator('.chips .chip');
const drawing = (page: Page) => page.locator('.hist svg');

/** Drags over the histogram, from and to given as parts of its width. */
async function brush(page: Page, from: number, to: number): Promise<void> {
  const box = await page.locator('.hist .field').boundingBox();
  if (!box) throw new Error('no histogram');
  const y = box.y + box.height / 3;
  await page.mouse.move(box.x + from * box.width, y);
  await page.mouse.down();
  await page.mouse.move(box.x + to * box.width, y, { steps: 8 });
  await page.mouse.up();
}

test('a brushed range is a chip, the hits are those of the range, and the chip takes it away', async ({
  page,
}) => {
  await ask(page, '"Knödel"');
  const all = await messagesFound(page);
  await brush(page, 0.3, 0.6);
  await expect(chips(page)).toHaveCount(2);
  await expect(drawing(page)).toHaveAttribute('aria-label', /Chosen: .*\d{4}, [\d,]+ messages?\.$/);
  const sentence = (await drawing(page).getAttribute('aria-label')) ?? '';
  const counted = Number(/, ([\d,]+) messages?\.$/.exec(sentence)?.[1]?.replace(/,/g, ''));
  await expect.poll(() => messagesFound(page)).toBe(counted);
  expect(counted).toBeGreaterThan(0);
  expect(counted).toBeLessThan(all);

  await chips(page)
    .getByRole('button', { name: /^Remove .*\d{4}/ })
    .click();
  await expect.poll(() => messagesFound(page)).toBe(all);
});

test('the edges of a range move by arrow keys', async ({ page }) => {
  await ask(page, '"Knödel"');
  await brush(page, 0.3, 0.6);
  const edge = page.getByRole('slider', { name: 'First day of the range' });
  const before = await edge.getAttribute('aria-valuenow');
  await edge.press('ArrowLeft');
  await expect(edge).not.toHaveAttribute('aria-valuenow', before ?? '');
  expect(Number(await edge.getAttribute('aria-valuenow'))).toBeLessThan(Number(before));
});

for (const group of ['Source', 'Person', 'Kind', 'Year']) {
  test(`the facet ${group} counts what it gives, and widens again`, async ({ page }) => {
    await ask(page, '"Knödel"');
    const all = await messagesFound(page);
    const facets = page.getByRole('complementary', { name: 'Narrow by' });
    const facet = facets.locator(`h2:text-is("${group}") + button`);
    const count = Number((await facet.locator('.count').innerText()).replace(/\D/g, ''));
    await facet.click();
    await expect(facet).toHaveAttribute('aria-pressed', 'true');
    await expect.poll(() => messagesFound(page)).toBe(count);
    await facet.click();
    await expect.poll(() => messagesFound(page)).toBe(all);
  });
}

test('a typed filter is a chip, and every hit obeys it', async ({ page }) => {
  await ask(page, 'from:Basti Hütte');
  await expect(chips(page)).toContainText(['Basti']);
  const names = await rows(page).locator('.who b').allInnerTexts();
  expect(names.length).toBeGreaterThan(0);
  expect(new Set(names)).toEqual(new Set(['Basti']));
});
