import { expect, it } from 'vitest';
import { initial } from './initial';

it.each([
  ['Ana Beltrán', 'A'],
  ['élodie', 'É'],
  ['田辺 由佳', '由'],
  ['#platform', '#'],
  ['+49 170 1', '4'],
  ['"Jo"', 'J'],
  ['', '?'],
  ['🦊', '🦊'],
])('%s → %s', (name, expected) => expect(initial(name)).toBe(expected));
