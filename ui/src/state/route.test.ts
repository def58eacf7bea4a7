import { expect, it } from 'vitest';
import { parseHash, toHash } from './route.svelte';

const nowhere = { conversation: '', message: '', day: '', person: '' };

it.each([
  ['', { ...nowhere, view: 'search' }],
  ['#timeline', { ...nowhere, view: 'timeline' }],
  ['#timeline/2024-04-12', { ...nowhere, view: 'timeline', day: '2024-04-12' }],
  ['#conversation/a%2Fb/m1', { ...nowhere, view: 'conversation', conversation: 'a/b', message: 'm1' }],
  ['#conversation/c', { ...nowhere, view: 'conversation', conversation: 'c' }],
  ['#people/p1', { ...nowhere, view: 'people', person: 'p1' }],
  ['#people', { ...nowhere, view: 'people' }],
  ['#conversation', { ...nowhere, view: 'search' }],
  ['#nonsense', { ...nowhere, view: 'search' }],
  ['#conversation/%E0%A4%A', { ...nowhere, view: 'search' }],
])('%s', (hash, expected) => expect(parseHash(hash)).toEqual(expected));

it('writes what it reads', () => {
  expect(toHash('conversation', 'a/b', 'm 1')).toBe('#conversation/a%2Fb/m%201');
  expect(parseHash(toHash('conversation', 'a/b', 'm 1')).message).toBe('m 1');
});
