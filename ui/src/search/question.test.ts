import { beforeEach, describe, expect, it } from 'vitest';
import {
  clear,
  emptyQuery,
  filters,
  isEmpty,
  parted,
  question,
  setRange,
  setText,
  toggle,
} from './question.svelte';

beforeEach(clear);

it.each([
  ['from ana', 'from', 'ana'],
  ['before 2023', 'before', '2023'],
  ['“second week”', '', '“second week”'],
  ['Feb – Oct 2024', '', 'Feb – Oct 2024'],
  ['innsbruck', '', 'innsbruck'],
])('a chip “%s” parts', (label, lead, value) => expect(parted(label)).toEqual({ label: lead, value }));

describe('filters', () => {
  it('takes the words away that made it', () => {
    setText('ferry from:ana refund');
    const [filter] = filters([{ field: 'from', label: 'from ana', text: 'from:ana' }]);
    filter?.remove();
    expect(question.text).toBe('ferry refund');
  });
  it('leaves out a chip whose words are gone already', () => {
    setText('ferry');
    expect(filters([{ field: 'from', label: 'from ana', text: 'from:ana' }])).toEqual([]);
  });
  it('shows and removes what was clicked', () => {
    toggle('people', 'p1', 'Ana');
    toggle('kinds', 'note');
    setRange(Date.UTC(2024, 1, 1), Date.UTC(2024, 10, 1));
    const shown = filters([]);
    expect(shown.map((f) => f.key)).toEqual(['range', 'people p1', 'kinds note']);
    expect(shown[1]?.value).toBe('Ana');
    for (const filter of shown) filter.remove();
    expect(isEmpty(question)).toBe(true);
  });
  it('says what a message must carry, and takes it away', () => {
    toggle('has', 'image');
    expect(isEmpty(question)).toBe(false);
    const shown = filters([]);
    expect(shown.map(({ label, value }) => [label, value])).toEqual([['has', 'a picture']]);
    shown[0]?.remove();
    expect(question.has).toEqual([]);
  });
  it('names from the answer what was not clicked here', () => {
    toggle('people', 'p2', '');
    question.people.push('p3');
    const said = ['Jonas', 'Yuka'].map((label) => ({ field: 'from', label, text: '' }));
    expect(filters(said).at(-1)?.value).toBe('Yuka');
  });
});

it('a click on a set filter takes it away', () => {
  toggle('sources', 'whatsapp');
  toggle('sources', 'whatsapp');
  expect(isEmpty(question)).toBe(true);
});

it('clearing leaves the empty query as it was', () => {
  toggle('sources', 'whatsapp');
  expect(emptyQuery.sources).toEqual([]);
});
