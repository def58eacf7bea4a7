import { expect, it } from 'vitest';
import type { Page, Shown } from '../api';
import { firstSentence, outlineOf } from './outline';

it.each([
  ['And the deposit? I’d like that in writing', 'And the deposit?'],
  ['No. I mean the second week of it. Then', 'No. I mean the second week of it.'],
  ['one line\nand another', 'one line'],
  ['x'.repeat(120), 'x'.repeat(88) + '…'],
  ['手首が治るまで、みんなで待とう。旅行は9月', '手首が治るまで、みんなで待とう。旅行は9月'],
])('%s', (text, expected) => expect(firstSentence(text)).toBe(expected));

it('lists questions and what each covers', () => {
  const message = (id: string, mine: boolean, part = 'text') => ({ id, mine, part, text: id }) as Shown;
  const messages = [
    message('q1', true),
    message('t', false, 'tool'),
    message('a1', false),
    message('q2', true),
  ];
  const { title, entries } = outlineOf({ kind: 'ai', messages } as Page, []);
  expect(title).toBe('Your questions');
  expect(entries.map((e) => [e.text, [...e.covers].join(' ')])).toEqual([
    ['q1', 'q1 t a1'],
    ['q2', 'q2'],
  ]);
});
