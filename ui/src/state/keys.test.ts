import { expect, it } from 'vitest';
import { keyName } from './keys';

const plain = { ctrlKey: false, metaKey: false, altKey: false };

it.each([
  [{ ...plain, key: 'j' }, 'j'],
  [{ ...plain, key: 'N' }, 'N'],
  [{ ...plain, key: 'Escape' }, 'Escape'],
  [{ ...plain, key: 'k', ctrlKey: true }, 'mod+k'],
  [{ ...plain, key: 'K', metaKey: true }, 'mod+k'],
  [{ ...plain, key: 'j', altKey: true }, null],
])('%o → %s', (press, expected) => expect(keyName(press)).toBe(expected));
