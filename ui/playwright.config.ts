// Tests of the pages in a plain browser, with the real memory behind them: `npm test -- pages` in the
// project's root builds it and sets EVOKE_BIN. What they share is in tests/archives.ts and tests/page.ts.

import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

/** Debian's; elsewhere the one that `npx playwright install chromium` brings. */
const chromium = '/usr/bin/chromium';

/** What a browser would do on its own account, so that only the page's requests are left. */
const quiet = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export default defineConfig({
  testDir: 'tests',
  globalSetup: './tests/archives.ts',
  outputDir: '../target/pages',
  reporter: 'list',
  // One memory answers all of them, and computers may be small.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: {
    viewport: { width: 1200, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    screenshot: 'only-on-failure',
    contextOptions: { reducedMotion: 'reduce' },
    launchOptions: {
      executablePath: existsSync(chromium) ? chromium : undefined,
      args: ['--no-sandbox', ...quiet],
    },
  },
});
