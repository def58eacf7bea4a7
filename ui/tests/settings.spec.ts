// Settings that change what a search does.

import { ask, expect, rows, test } from './page';

test('reading hits in order is off by default, and every search reads them once it is on', async ({
  page,
}) => {
  const asked: number[] = [];
  page.on('request', (request) => {
    const call = request.postDataJSON();
    if (call?.call === 'search') asked.push(call.query.rerank);
  });
  await ask(page, 'Knödel');
  await expect(rows(page).first()).toBeVisible();
  expect(asked.every((count) => count === 0)).toBe(true);

  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Settings' }).click();
  const toggle = page.getByRole('switch', { name: 'Read hits in order' });
  await expect(toggle).toHaveAttribute('aria-checked', 'false');
  await toggle.click();
  await expect(toggle).toHaveAttribute('aria-checked', 'true');
  await expect.poll(() => asked.at(-1)).toBeGreaterThan(0);
  await toggle.click();
  await expect(toggle).toHaveAttribute('aria-checked', 'false');
  await expect.poll(() => asked.at(-1)).toBe(0);
});
