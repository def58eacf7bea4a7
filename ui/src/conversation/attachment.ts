// What hangs on a message, in words: what it is, what it is called, and why it is missing. Pure.

import type { Attachment, Hit } from '../api';
import type { IconName } from '../parts/pictures';
import type { Span } from '../parts/segments';

/** What was found in an attached file. */
export type Excerpt = { file: string; text: string; matches: Span[]; similar: Span | null };

/** Of a hit that an attached file says; null where its message says it itself. */
export function excerptOf({ file, snippet, highlights, similar }: Hit): Excerpt | null {
  return file === null ? null : { file, text: snippet, matches: highlights, similar };
}

type Look = { kind: string; icon: IconName };

const looks: [RegExp, Look][] = [
  [/^image\//, { kind: 'Picture', icon: 'image' }],
  [/^video\//, { kind: 'Video', icon: 'file' }],
  [/^audio\//, { kind: 'Recording', icon: 'voice' }],
];
const endings: [RegExp, Look][] = [
  [/\.(jpe?g|png|gif|webp|heic|bmp|svg|avif)$/i, looks[0]![1]],
  [/\.(mp4|mov|webm|mkv|3gp)$/i, looks[1]![1]],
  [/\.(opus|ogg|oga|m4a|mp3|wav|aac|amr)$/i, looks[2]![1]],
];

function lookOf({ mime, name }: Attachment): Look | null {
  const test = ([pattern]: [RegExp, Look], of: string) => pattern.test(of);
  const byType = looks.find((look) => test(look, mime ?? ''));
  return (byType ?? endings.find((look) => test(look, name)))?.[1] ?? null;
}

/** "Picture, IMG_1201.jpg"; the name alone where the kind is in it. */
export function nameOf(attachment: Attachment): string {
  const kind = lookOf(attachment)?.kind;
  if (!kind) return attachment.name || 'File';
  return attachment.name ? `${kind}, ${attachment.name}` : kind;
}

export function pictureOf(attachment: Attachment): IconName {
  const look = lookOf(attachment);
  if (reasonOf(attachment) !== '') return look?.icon === 'image' ? 'noimage' : 'warn';
  return look?.icon ?? 'file';
}

/** Drawn or played here; anything else is named. */
export function kindOf(attachment: Attachment): 'picture' | 'recording' | null {
  const icon = lookOf(attachment)?.icon;
  if (icon === 'image') return 'picture';
  return icon === 'voice' ? 'recording' : null;
}

/** A picture or a recording that should be there. */
export function canShow(attachment: Attachment): boolean {
  return kindOf(attachment) !== null && reasonOf(attachment) === '';
}

/** Bytes out of base64. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** Why there is no file; empty where there is one. */
export function reasonOf({ path, missing }: Attachment): string {
  if (path) return missing ?? '';
  return missing || 'not in this export';
}
