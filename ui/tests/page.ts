// The page that tests drive: opened on one of the archives, and watched all the while. Invariant: no
// request goes anywhere but to the page's own bridge, and nothing is written to the console as an error.

import { expect, test as base, type Locator, type Page } from '@playwright/test';
import { addressOf, type Archive } from './archives';

export { expect };
export type { Page };

export const test = base.extend<{ archive: Archive }>({
  archive: ['sample', { option: true }],
  page: async ({ page, archive }, use) => {
    const origin = addressOf(archive);
    const strays: string[] = [];
    const faults: string[] = [];
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== origin) strays.push(request.url());
    });
    page.on('websocket', (socket) => strays.push(socket.url()));
    page.on('console', (said) => said.type() === 'error' && faults.push(said.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(origin);
    await expect(page.locator('footer.status')).toContainText('messages');
    await use(page);
    expect(strays, 'requests that left the page').toEqual([]);
    expect(faults, 'errors on the console').toEqual([]);
  },
});

/** The one field of Search. */
export const field = (page: Page): Locator => page.locator('search input[type=text]');
/** The list of hits, and its rows. */
export const list = (page: Page): Locator => page.getByRole('listbox', { name: 'Hits' });
export const rows = (page: Page): Locator => list(page).getByRole('option');
export const chosen = (page: Page): Locator => list(page).locator('[role=option][aria-selected=true]');

/** Types a question and waits until its answer is shown. */
export async function ask(page: Page, question: string): Promise<void> {
  const answered = page.waitForResponse((response) => {
    const call = response.request().postDataJSON();
    return call?.call === 'search' && call.query.text === question;
  });
  await field(page).fill(question);
  await answered;
  await expect(page.locator('.hits[aria-busy=true]')).toHaveCount(0);
}

/** "1,410 messages in 4 conversations" → 1410 */
export async function messagesFound(page: Page): Promise<number> {
  const text = await page.locator('section.results header strong').innerText();
  return Number(text.replace(/\D/g, ''));
}
