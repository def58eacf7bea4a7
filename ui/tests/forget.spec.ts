// Forgetting: asked before it is done, kept at the first Escape, and gone for good.

import { ask, chosen, expect, field, messagesFound, test } from './page';

test.use({ archive: 'spare' });

test('a message is forgotten only when the question is answered so', async ({ page }) => {
  const said = 'Klempnerei Wuttke, 030 23125 142. Er hat bei uns in der Schule die Heizung gerettet';
  await ask(page, '"die Heizung gerettet"');
  const before = await messagesFound(page);
  await expect(chosen(page)).toContainText(said);
  await field(page).press('Escape');

  await page.keyboard.press('Delete');
  const dialog = page.getByRole('dialog', { name: 'Forget' });
  await expect(dialog.getByRole('button', { name: 'Keep' })).toBeFocused();
  await expect(dialog).toContainText('A later import does not bring it back.');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(chosen(page)).toContainText(said);

  const status = page.locator('footer.status');
  const held = Number((await status.locator('span').first().innerText()).replace(/\D/g, ''));
  await page.keyboard.press('Delete');
  await dialog.getByRole('button', { name: 'Forget 1 message' }).click();
  await expect(dialog).toBeHidden();
  await expect(status).toContainText(`${new Intl.NumberFormat('en-GB').format(held - 1)} messages`);
  await expect(page.getByText(said)).toHaveCount(0);
  expect(before).toBe(1);
  await expect(page.getByRole('heading', { name: /^Nothing/ })).toBeVisible();
});
