// Reads the hand-written material: stories (dated exchanges) and stocks of small talk. Knows the two line
// grammars and nothing about export formats.

import { readFileSync } from 'node:fs'
import { DAY, HOUR, MINUTE, wall } from './clock.mjs'

const folder = new URL('../material/', import.meta.url)
export const read = name => readFileSync(new URL(name, folder), 'utf8').replace(/\r\n/g, '\n')

/** "== head | head" blocks → [{ head: [..], body: [lines] }]; lines before the first block are comments. */
export function blocks(name) {
  const found = []
  for (const line of read(name).split('\n')) {
    if (line.startsWith('== ')) found.push({ head: line.slice(3).split(' | ').map(s => s.trim()), body: [] })
    else if (found.length) found.at(-1).body.push(line)
  }
  for (const b of found) while (b.body.length && !b.body.at(-1).trim()) b.body.pop()
  return found
}

/** "+2h " before a line: how long it waits. */
export const WAIT = /^(?:\+(\d+)([mhd]) )?/
const UNIT = { m: MINUTE, h: HOUR, d: DAY }
export const waiting = line => {
  const [, amount, unit] = WAIT.exec(line)
  return amount ? amount * UNIT[unit] : 0
}
const MARK = /\{(photo|voice|call|sticker|deleted|edited|reply|react)(?: ([^}]*))?\}\s?/

/** One thing said: text, and at most one mark ({photo}, {voice 34}, …) with its value. */
export function said(who, written) {
  const line = { who, text: written.replaceAll('\\n', '\n'), mark: null, value: null, reply: false, wait: 0 }
  for (let m; (m = MARK.exec(line.text)); ) {
    line.text = (line.text.slice(0, m.index) + line.text.slice(m.index + m[0].length)).trim()
    if (m[1] === 'reply') line.reply = true
    else [line.mark, line.value] = [m[1], m[2] ?? null]
  }
  return line
}

/** One line of a story: "M: text", "+2h M: text", "* {adds} M J". */
function storyLine(line) {
  const system = /^\* \{(\w+)\} ?(.*)$/.exec(line)
  if (system) return { who: null, text: '', mark: system[1], value: system[2].split(' '), wait: 0 }
  const spoken = /^(\p{Lu}): (.+)$/u.exec(line.replace(WAIT, ''))
  if (!spoken) throw new Error(`cannot read story line: ${line}`)
  return { ...said(spoken[1], spoken[2]), wait: waiting(line) }
}

/** A story → [{ at, lines }], oldest first. */
export function story(name) {
  const found = blocks(`${name}.txt`).map(({ head, body }) => ({ at: wall(head[0]), lines: body.filter(l => l.trim()).map(storyLine) }))
  return found.sort((a, b) => a.at - b.at)
}

/** A stock → [{ tags, turns: [{ how, text }] }]; `how` is '', '+' (a third person) or '=' (the same again). */
export function stock(name) {
  return read(`${name}.txt`).split('\n').filter(l => l.includes('|') && !l.startsWith('#')).map(line => {
    const cut = line.indexOf('|')
    const turns = line.slice(cut + 1).split(' / ').map(t => {
      const how = /^[+=] /.test(t) ? t[0] : ''
      return { how, text: how ? t.slice(2) : t }
    })
    return { tags: line.slice(0, cut).split(',').filter(Boolean), turns, uses: [] }
  })
}

export const words = JSON.parse(read('words.json'))
