// Chance that falls the same way on each run: a small seeded generator (xorshift-multiply), one per chat,
// so that a new line in one chat does not shuffle the others.

/** Numbers in [0, 1) that depend on `seed` alone. */
export function dice(seed) {
  let state = 2166136261
  for (const c of seed) state = Math.imul(state ^ c.codePointAt(0), 16777619)
  const roll = () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296
  }
  return {
    roll,
    /** A whole number, both ends included. */
    between: (low, high) => low + Math.floor(roll() * (high - low + 1)),
    chance: p => roll() < p,
    pick: list => list[Math.floor(roll() * list.length)],
    /** `weights` maps a key to its share. */
    weighted(weights) {
      const total = Object.values(weights).reduce((a, b) => a + b, 0)
      let left = roll() * total
      for (const [key, share] of Object.entries(weights)) if ((left -= share) < 0) return key
      return Object.keys(weights).at(-1)
    },
    /** A random-looking UUID, version 4. */
    uuid() {
      const hex = Array.from({ length: 32 }, () => Math.floor(roll() * 16).toString(16))
      hex[12] = '4'
      hex[16] = '89ab'[parseInt(hex[16], 16) % 4]
      return hex.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    },
  }
}
