// Ways to ask that the field understands, with an example, and how one begins to type it.

export type Way = { example: string; does: string; begin: string };

export const ways: Way[] = [
  { example: '"second week"', does: 'exactly these words', begin: '"' },
  { example: '-work', does: 'without this word', begin: '-' },
  { example: 'from:ana', does: 'written by Ana', begin: 'from:' },
  { example: 'person:ana', does: 'by Ana or in talks with her', begin: 'person:' },
  { example: 'in:lofoten', does: 'in this conversation', begin: 'in:' },
  { example: 'source:telegram', does: 'from one source', begin: 'source:' },
  { example: 'has:image', does: 'with a picture', begin: 'has:image' },
  { example: 'has:file', does: 'with a file', begin: 'has:file' },
  { example: 'has:link', does: 'with a link', begin: 'has:link' },
  { example: 'has:voice', does: 'with a voice note', begin: 'has:voice' },
  { example: 'before:2023', does: 'up to a date', begin: 'before:' },
  { example: 'last spring', does: 'dates as you say them', begin: 'last ' },
];
