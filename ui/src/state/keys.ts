// Keys: how one is named, whether the person is typing, and who answers it. Pure but for `listen`.

const isMac = typeof navigator !== 'undefined' && /Mac/.test(navigator.userAgent);

/** The key that goes with K, F and the digits, as it is printed on this computer's keyboard. */
export const modifier = isMac ? '⌘' : 'Ctrl';

type Press = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/** "j", "N", "Escape", "mod+k". Shift shows in the letter itself. Alt combinations are the system's: null. */
export function keyName({ key, ctrlKey, metaKey, altKey }: Press): string | null {
  if (altKey) return null;
  if (ctrlKey || metaKey) return `mod+${key.toLowerCase()}`;
  return key;
}

/** True where letters belong to a text the person writes. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  return (
    target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type)
  );
}

/** What a key, or two in turn ("g d"), does. Returning false leaves the key to the browser. */
export type Bindings = Record<string, () => void | false>;

/** The second key of two must follow within this. */
const pairMs = 1_000;

/**
 * Answers keys until the returned function is called. Single keys rest while the person types,
 * combinations with the modifier do not.
 */
export function listen(bindings: Bindings): () => void {
  let first = { name: '', at: 0 };
  const down = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    const name = keyName(event);
    if (name === null || (!name.startsWith('mod+') && isTyping(event.target))) return;
    const pair = event.timeStamp - first.at < pairMs ? bindings[`${first.name} ${name}`] : undefined;
    first = { name, at: event.timeStamp };
    const act = pair ?? bindings[name];
    if (act && act() !== false) event.preventDefault();
  };
  window.addEventListener('keydown', down);
  return () => window.removeEventListener('keydown', down);
}
