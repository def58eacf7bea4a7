// What hangs on a message, in words: what it is, what it is called, and why it is missing. Pure.

import type { Attachment } from '../api';
import type { IconName } from '../parts/pictures';

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

/** Why there is no file; empty where there is one. */
export function reasonOf({ path, missing }: Attachment): string {
  if (path) return missing ?? '';
  return missing || 'not in this export';
}
