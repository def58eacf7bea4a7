// Every view and layer, by day and by night, under axe: no serious or critical fault.

import AxeBuilder from '@axe-core/playwright';
import { ask, chosen, expect, field, rows, test, type Page } from './page';

type Place = [name: string, reach: (page: Page) => Promise<void>];

const go = (label: string) => async (page: Page) => {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: label }).click();
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
};
const search = (question: string) => async (page: Page) => {
  await ask(page, question);
  await expect(rows(page).first()).toBeVisible();
  await expect(page.locator('.preview .talk [data-message]').first()).toBeVisible();
};
const read = (question: string) => async (page: Page) => {
  await search(question)(page);
  await page.keyboard.press('Enter');
  await expect(page.locator('.conversation [data-message]').first()).toBeVisible();
};
const layer = (key: string) => async (page: Page) => {
  await expect(rows(page).first()).toBeVisible();
  await field(page).press('Escape');
  await page.keyboard.press(key);
  await expect(page.getByRole('dialog')).toBeVisible();
};
const shelf = (choice: string, role: 'list', name: string) => async (page: Page) => {
  await go('Sources')(page);
  await page.getByRole('group', { name: 'What is listed' }).getByRole('button', { name: choice }).click();
  await expect(page.getByRole(role, { name })).toBeAttached();
};
const look = (path: string, shown: string) => async (page: Page) => {
  await go('Sources')(page);
  await page.getByLabel('Path of an export on this computer').fill(path);
  await page.keyboard.press('Enter');
  await expect(page.getByText(shown)).toBeVisible();
};

const places: Place[] = [
  ['Search, nothing typed', async (page) => expect(rows(page).first()).toBeVisible()],
  ['Search, hits', search('Wuttke')],
  ['Search, filters', search('from:Basti kind:chat Hütte')],
  [
    'Search, nothing found',
    async (page) => {
      await ask(page, '"words that nobody has written"');
      await expect(page.getByRole('heading', { name: /^Nothing/ })).toBeVisible();
    },
  ],
  ['Conversation, a chat', read('Wuttke in:Hüttenwochenende')],
  ['Conversation, an assistant', read('source:chatgpt Ferritin')],
  ['Conversation, a note', read('kind:note Klempner')],
  [
    'Timeline',
    async (page) => {
      await go('Timeline')(page);
      await expect(page.getByRole('region', { name: 'Day' }).getByRole('listitem').first()).toBeVisible();
    },
  ],
  ['Sources', go('Sources')],
  ['Sources, an export looked at', look('../tests/fixtures/telegram', 'Nothing is saved yet.')],
  ['Sources, a path that is not there', look('/no/such/export', 'What happened')],
  ['Sources, imports', shelf('Imports', 'list', 'Imports')],
  ['Sources, copies', shelf('Copies', 'list', 'Copies')],
  ['People', go('People')],
  [
    'Merge',
    async (page) => {
      await go('People')(page);
      await page.getByRole('button', { name: 'Merge with …' }).click();
      await expect(page.getByRole('dialog').getByRole('listitem').first()).toBeVisible();
    },
  ],
  [
    'Where it was seen',
    async (page) => {
      await search('Wuttke')(page);
      await field(page).press('Escape');
      await page.keyboard.press('w');
      await expect(page.getByRole('dialog')).toContainText('Seen in 1 export');
    },
  ],
  [
    'Undo an import',
    async (page) => {
      await shelf('Imports', 'list', 'Imports')(page);
      await page.getByRole('button', { name: /^Undo the import/ }).click();
      await expect(page.getByRole('dialog')).toContainText('only this import brought');
    },
  ],
  ['Settings', go('Settings')],
  ['Palette', layer('Control+k')],
  ['Keys', layer('?')],
  [
    'Forget',
    async (page) => {
      await search('Wuttke')(page);
      await expect(chosen(page)).toBeVisible();
      await field(page).press('Escape');
      await page.keyboard.press('Delete');
      await expect(page.getByRole('button', { name: 'Forget 1 message' })).toBeVisible();
    },
  ],
];

async function expectNoFault(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = grave.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}\n  ${node.html}\n  ${node.failureSummary}`),
  );
  expect(told, told.join('\n')).toEqual([]);
}

for (const theme of ['light', 'dark'] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme });
    for (const [name, reach] of places) {
      test(name, async ({ page }) => {
        await reach(page);
        await expectNoFault(page);
      });
    }
    test.describe('an empty archive', () => {
      test.use({ archive: 'empty' });
      test('First run', async ({ page }) => {
        await expect(page.getByRole('heading', { name: /Everything stays on this/ })).toBeVisible();
        await expectNoFault(page);
      });
    });
  });
}
