// How the interface is built and tested. Everything ends in files of our own: no address outside,
// no inline script, so the page lives under a closed content security policy.

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds a memory: the bridge that speaks to the `evoke` process. */
const bridge = 'http://127.0.0.1:4173';

export default defineConfig({
  plugins: [svelte()],
  base: './',
  // WebKitGTK 2.44 and Safari 17.5 are the first with light-dark(); older ones cannot show the tokens.
  build: { target: ['safari17.5', 'chrome123'], modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: { port: 5173, strictPort: true, proxy: { '/call': bridge } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
