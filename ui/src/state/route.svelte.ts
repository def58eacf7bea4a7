// Where the person is. The address holds the view and, for a conversation, which one and at which
// message; it never holds what was typed.

export type View = 'search' | 'timeline' | 'people' | 'sources' | 'settings' | 'conversation';

export type Route = { view: View; conversation: string; message: string };

const views: View[] = ['search', 'timeline', 'people', 'sources', 'settings', 'conversation'];

/** `#conversation/<id>/<message>` → route; whatever is not understood is Search. */
export function parseHash(hash: string): Route {
  const [name = '', conversation = '', message = ''] = hash
    .replace(/^#/, '')
    .split('/')
    .map(decodeURIComponent);
  const view = views.find((v) => v === name) ?? 'search';
  if (view === 'conversation' && !conversation) return { view: 'search', conversation: '', message: '' };
  return { view, conversation, message };
}

export function toHash({ view, conversation, message }: Route): string {
  const parts = view === 'conversation' ? [view, conversation, message] : [view];
  return '#' + parts.filter(Boolean).map(encodeURIComponent).join('/');
}

const inBrowser = typeof location !== 'undefined';

/** The route shown now. Read it; change it with `go` and `openConversation`. */
export const route: Route = $state(parseHash(inBrowser ? location.hash : ''));

if (inBrowser) window.addEventListener('hashchange', () => Object.assign(route, parseHash(location.hash)));

/** Shows a view of the rail. */
export function go(view: Exclude<View, 'conversation'>): void {
  location.hash = toHash({ view, conversation: '', message: '' });
}

/** Shows a conversation at a message, or at its end where none is given. */
export function openConversation(conversation: string, message = ''): void {
  location.hash = toHash({ view: 'conversation', conversation, message });
}

/** Back to where the person came from; to Search where they came from nowhere. */
export function back(): void {
  if (history.length > 1) history.back();
  else go('search');
}
