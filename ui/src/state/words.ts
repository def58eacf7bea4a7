// Numbers and dates as a person reads them, in their locale and the archive's zone.

const numbers = new Intl.NumberFormat();

/** 1204331 → "1,204,331". */
export function grouped(n: number): string {
  return numbers.format(n);
}

/** `counted(1, 'message')` → "1 message", `counted(96, 'message')` → "96 messages". */
export function counted(n: number, one: string, many = one + 's'): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}
