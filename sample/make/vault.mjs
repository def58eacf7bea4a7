// The Markdown vault: daily notes and lasting notes with front matter, and the settings folder that tells a
// reader what it is.

import { blocks } from './material.mjs'

/** Properties a note's body may begin with; they belong into the front matter. */
const PROPERTY = /^(aliases): (.+)$/

function frontMatter(fields) {
  const lines = Object.entries(fields).flatMap(([key, value]) => (Array.isArray(value) ? [`${key}:`, ...value.map(v => `  - ${v}`)] : [`${key}: ${value}`]))
  return ['---', ...lines, '---', ''].join('\n')
}

function daily({ head: [day], body }) {
  const tags = [...body.join('\n').matchAll(/(?:^|\s)#(\p{L}+)/gu)].map(m => m[1])
  return [`Tagebuch/${day}.md`, frontMatter({ date: day, ...(tags.length ? { tags: [...new Set(tags)] } : {}) }) + body.join('\n') + '\n']
}

function note({ head: [path, created, tags], body }) {
  const fields = { created, tags: tags.split(', ') }
  const property = PROPERTY.exec(body[0])
  if (property) fields[property[1]] = property[2].split(', ')
  return [path, frontMatter(fields) + body.slice(property ? 1 : 0).join('\n') + '\n']
}

/** path → text, and how many notes and headings there are. */
export function vault() {
  const notes = Object.fromEntries([...blocks('daily.txt').map(daily), ...blocks('notes.txt').map(note)])
  const headings = Object.values(notes).join('\n').match(/^#{1,6} /gm).length
  const settings = {
    '.obsidian/app.json': JSON.stringify({ alwaysUpdateLinks: true, newFileLocation: 'folder', newFileFolderPath: 'Ideen' }, null, 2),
    '.obsidian/daily-notes.json': JSON.stringify({ folder: 'Tagebuch', format: 'YYYY-MM-DD' }, null, 2),
  }
  return { files: { ...settings, ...notes }, count: { notes: Object.keys(notes).length, headings } }
}
