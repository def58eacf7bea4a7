// How a call reaches the memory: through Tauri in the desktop window, over HTTP to the bridge
// (dev/bridge.mjs) in a plain browser. The only file, with files.ts, that knows which one it is.

import { invoke } from '@tauri-apps/api/core';
import type { Call, Reply, Trouble } from './types';

/** True inside the desktop window. */
export const inWindow = typeof window !== 'undefined' && '__TAURI_INTERNALS__' in window;

/** Sends one call. Rejects with a `Trouble`, never with anything else. */
export async function call(call: Call): Promise<Reply> {
  try {
    return inWindow ? await invoke<Reply>('call', { call }) : await overHttp(call);
  } catch (thrown) {
    throw asTrouble(thrown);
  }
}

async function overHttp(call: Call): Promise<Reply> {
  const response = await fetch('/call', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(call),
  });
  const answer: { ok?: Reply; error?: Trouble } = await response.json();
  if (answer.ok) return answer.ok;
  throw answer.error ?? { kind: 'other', message: 'The memory sent an answer without content.' };
}

/** Whatever was thrown, as something a person can read. */
export function asTrouble(thrown: unknown): Trouble {
  if (isTrouble(thrown)) return thrown;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return { kind: 'other', message: `Evoke’s memory did not answer (${what}). Nothing was lost. Try again.` };
}

function isTrouble(thrown: unknown): thrown is Trouble {
  return typeof thrown === 'object' && thrown !== null && 'kind' in thrown && 'message' in thrown;
}
