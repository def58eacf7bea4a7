import { expect, it } from 'vitest';
import type { Page, Shown } from '../api';
import { joined } from './stretch.svelte';

function page(ids: string, earlier: boolean, later: boolean): Page {
  return { messages: [...ids].map((id) => ({ id }) as Shown), earlier, later } as Page;
}

it('joins pages that overlap, and keeps what each knows of its end', () => {
  const whole = joined(page('abc', false, true), page('cde', true, true));
  expect(whole.messages.map((m) => m.id).join('')).toBe('abcde');
  expect([whole.earlier, whole.later]).toEqual([false, true]);
});
