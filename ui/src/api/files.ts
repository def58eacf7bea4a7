// Paths a person points at, and the clipboard. A browser hides paths, so there they are typed:
// that is for development and tests; the desktop window has the computer's own dialog.

import { getCurrentWebview } from '@tauri-apps/api/webview';
import { open, save } from '@tauri-apps/plugin-dialog';
import { inWindow } from './door';

/** `over` while files hang above the window, `drop` with their paths, `leave` when they go away. */
export type FileDrop = { type: 'over' } | { type: 'leave' } | { type: 'drop'; paths: string[] };

/** Lets the person choose files. Empty where they changed their mind. */
export function pickFiles(): Promise<string[]> {
  return pick('Choose exports', false);
}

/** Lets the person choose folders, for exports that come unpacked. */
export function pickFolder(): Promise<string[]> {
  return pick('Choose a folder', true);
}

/** Lets the person choose where a new file goes; null where they changed their mind. */
export async function pickSave(title: string, name: string): Promise<string | null> {
  if (inWindow) return save({ title, defaultPath: name });
  return window.prompt(`${title}: path on this computer`, name) || null;
}

async function pick(title: string, directory: boolean): Promise<string[]> {
  if (inWindow) return asList(await open({ title, directory, multiple: true }));
  return asList(window.prompt(`${title}: path on this computer`));
}

function asList(chosen: string | string[] | null): string[] {
  if (Array.isArray(chosen)) return chosen;
  return chosen ? [chosen] : [];
}

/** Tells `heard` of files dragged onto the window. Returns how to stop listening. */
export function onFileDrop(heard: (drop: FileDrop) => void): () => void {
  if (!inWindow) return onBrowserDrag(heard);
  const stop = getCurrentWebview().onDragDropEvent(({ payload }) => {
    if (payload.type === 'drop') heard({ type: 'drop', paths: payload.paths });
    else heard({ type: payload.type === 'leave' ? 'leave' : 'over' });
  });
  return () => void stop.then((stopNow) => stopNow());
}

function onBrowserDrag(heard: (drop: FileDrop) => void): () => void {
  const over = (event: DragEvent) => (event.preventDefault(), heard({ type: 'over' }));
  const leave = () => heard({ type: 'leave' });
  const drop = async (event: DragEvent) => {
    event.preventDefault();
    heard({ type: 'drop', paths: await pickFiles() });
  };
  window.addEventListener('dragover', over);
  window.addEventListener('dragleave', leave);
  window.addEventListener('drop', drop);
  return () => {
    window.removeEventListener('dragover', over);
    window.removeEventListener('dragleave', leave);
    window.removeEventListener('drop', drop);
  };
}

/** Puts text on the clipboard. Rejects where the system refuses. */
export function copyText(text: string): Promise<void> {
  return navigator.clipboard.writeText(text);
}
