// Where the person is. The address holds the view and, for a conversation, which one and at which
// message, for the timeline a day, for People somebody's id; it never holds what was typed.

export type View = 'search' | 'timeline' | 'people' | 'sources' | 'settings' | 'conversation';

export type Route = {
  view: View;
  /** Set in the view `conversation`; `message` is empty where it opens at its end. */
  conversation: string;
  message: string;
  /** `2024-04-12` where the timeline was asked for a day, else empty. */
  day: string;
  /** Id of the person that People was asked for, else empty. */
  person: string;
};

const views: View[] = ['search', 'timeline', 'people', 'sources', 'settings', 'conversation'];
const nowhere = { conversation: '', message: '', day: '', person: '' };

/** `#conversation/<id>/<message>`, `#timeline/<day>` or `#people/<id>` → route; whatever is not understood is Search. */
export function parseHash(hash: string): Route {
  const [name, first = '', second = ''] = hash.replace(/^#/, '').split('/').map(decoded);
  const view = views.find((v) => v === name) ?? 'search';
  if (view === 'timeline') return { ...nowhere, view, day: first };
  if (view === 'people') return { ...nowhere, view, person: first };
  if (view !== 'conversation') return { ...nowhere, view };
  return first ? { ...nowhere, view, conversation: first, message: second } : { ...nowhere, view: 'search' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}

export function toHash(view: View, ...rest: string[]): string {
  return '#' + [view, ...rest].filter(Boolean).map(encodeURIComponent).join('/');
}

const inBrowser = typeof location !== 'undefined';

/** The route shown now. Read it; change it with the functions below. */
export const route: Route = $state(parseHash(inBrowser ? location.hash : ''));

if (inBrowser) window.addEventListener('hashchange', () => Object.assign(route, parseHash(location.hash)));

/** Shows a view of the rail. */
export function go(view: Exclude<View, 'conversation'>): void {
  location.hash = toHash(view);
}

/** Shows the timeline at a local day, `2024-04-12`. */
export function openDay(day: string): void {
  location.hash = toHash('timeline', day);
}

/** Shows a conversation at a message, or at its end where none is given. */
export function openConversation(conversation: string, message = ''): void {
  location.hash = toHash('conversation', conversation, message);
}

/** Shows People at somebody. */
export function openPerson(person: string): void {
  location.hash = toHash('people', person);
}

/** Shows another conversation in the place of this one, so that `back` still leads to the results. */
export function swapConversation(conversation: string, message = ''): void {
  location.replace(toHash('conversation', conversation, message));
}

/** Back to where the person came from; to Search where they came from nowhere. */
export function back(): void {
  if (history.length > 1) history.back();
  else go('search');
}
