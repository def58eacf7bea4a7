// The checks of `generate.mjs --check`: what is on disk is what is generated, questions have their answers,
// nothing repeats visibly, nothing is too big.

import { existsSync, readFileSync, readdirSync } from 'node:fs'

const MOST_BYTES = 3_000_000, LEAST_MESSAGES = 3_400, MOST_REPEATS = 3, SHORT = 14
const CATEGORIES = ['now', 'before', 'first', 'last', 'who', 'when', 'fact', 'other-language']

function onDisk(bytes, archive) {
  const faults = Object.entries(bytes).filter(([path, b]) => !existsSync(archive + path) || !readFileSync(archive + path).equals(b)).map(([path]) => `differs or missing: ${path}`)
  const there = existsSync(archive) ? readdirSync(archive, { recursive: true, withFileTypes: true }).filter(e => e.isFile()).length : 0
  return there > Object.keys(bytes).length ? [...faults, 'files in the archive that nobody generated'] : faults
}

/** Every fragment of every answer stands in the files, as an importer would read it. */
function questions(searched, folder) {
  const text = Object.entries(searched).map(([path, t]) => (path.endsWith('.json') ? strings(JSON.parse(t)) : t)).join('\n').replace(/\r\n/g, '\n')
  return readFileSync(`${folder}questions.jsonl`, 'utf8').trim().split('\n').map(l => JSON.parse(l)).flatMap(q => [
    ...q.expect.filter(e => !text.includes(e)).map(e => `no such text: ${e} (${q.text})`),
    ...(CATEGORIES.includes(q.category) ? [] : [`unknown category: ${q.category}`]),
  ])
}

function strings(value) {
  if (typeof value === 'string') return value
  return value && typeof value === 'object' ? Object.values(value).map(strings).join('\n') : ''
}

function repeats(said) {
  const count = new Map()
  for (const m of Object.values(said).flatMap(Object.values).flat()) if (m.text.length > SHORT) count.set(m.text, (count.get(m.text) ?? 0) + 1)
  return [...count].filter(([, n]) => n > MOST_REPEATS).map(([text, n]) => `said ${n} times: ${text}`)
}

/** All faults as sentences; an empty list is a pass. */
export function check({ bytes, searched, said }, archive, readme, folder) {
  const size = Object.values(bytes).reduce((n, b) => n + b.length, 0)
  const messages = Object.values(said).flatMap(Object.values).flat().length
  return [
    ...onDisk(bytes, archive),
    ...questions(searched, folder),
    ...repeats(said),
    ...(readme === readFileSync(`${folder}README.md`, 'utf8') ? [] : ['the counts in README.md are old']),
    ...(size > MOST_BYTES ? [`${size} bytes are too many`] : []),
    ...(messages < LEAST_MESSAGES ? [`${messages} chat messages are too few`] : []),
  ]
}
