// Before the first test: an archive with most of the sample in it, a copy of that to forget things in, an
// empty one, and one that tests fill with exports of their own, each behind a bridge of its own and in the
// home folder of somebody who has a vault, sessions and a chat in it. After the last: all of it is gone.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { furnish } from '../../tests/desktop/exports.mjs';
import { serve, startEvoke } from '../dev/bridge.mjs';

/** `spare` and `made` may be changed by a test, the others may not. */
export type Archive = 'sample' | 'spare' | 'empty' | 'made';
const archives: Archive[] = ['sample', 'spare', 'empty', 'made'];

/** Where an archive's pages are. */
export function addressOf(archive: Archive): string {
  return process.env[variable(archive)] ?? '';
}

/** Where tests may put files. */
export function testFolder(): string {
  return process.env['EVOKE_PAGES_FOLDER'] ?? tmpdir();
}

/** The environment is what this process and those of the tests share. */
const variable = (archive: Archive) => `EVOKE_PAGES_${archive.toUpperCase()}`;

export default async function setUp(): Promise<() => void> {
  const binary = process.env['EVOKE_BIN'];
  if (!binary) throw new Error('Set EVOKE_BIN to the evoke binary, or run `npm test -- pages` in the root.');
  const folder = mkdtempSync(join(tmpdir(), 'evoke-pages-'));
  process.env['EVOKE_PAGES_FOLDER'] = folder;
  furnish(join(folder, 'person'));
  importSample(binary, join(folder, 'sample'));
  cpSync(join(folder, 'sample'), join(folder, 'spare'), { recursive: true });
  const stops = await Promise.all(archives.map((archive) => open(binary, folder, archive)));
  return () => {
    for (const stop of stops) stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
}

/** The two longest private histories stay out: reading for meaning is what takes the time. */
const left = ['DataExport', 'WhatsApp Chat with'];
const sample = fileURLToPath(new URL('../../sample/archive', import.meta.url));

function importSample(binary: string, home: string): void {
  const names = readdirSync(sample).filter((name) => !left.some((start) => name.startsWith(start)));
  const paths = names.map((name) => join(sample, name));
  const args = ['--home', home, '--key-file', 'import', ...paths];
  const { status, stderr } = spawnSync(binary, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The sample could not be imported: ${stderr}`);
}

async function open(binary: string, folder: string, archive: Archive): Promise<() => void> {
  const where = ['--home', join(folder, archive), '--key-file', '--zone', 'Europe/Berlin'];
  const evoke = startEvoke(binary, ['stdio', ...where], { ...process.env, HOME: join(folder, 'person') });
  const server = await serve(evoke.send, 0);
  process.env[variable(archive)] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return () => {
    server.close();
    server.closeAllConnections();
    evoke.stop();
  };
}
