// Writes the sample archive: an invented person's exports, in the formats the apps write. Run with Node 20:
//   node sample/generate.mjs           writes sample/archive and the counts in README.md
//   node sample/generate.mjs --check   writes nothing; fails if anything on disk differs or a check fails

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chatgpt, claude } from './make/assistants.mjs'
import { CARMEN_MOVES } from './make/cast.mjs'
import { wall } from './make/clock.mjs'
import { withCounts } from './make/counts.mjs'
import { story } from './make/material.mjs'
import { telegram } from './make/telegram.mjs'
import { vault } from './make/vault.mjs'
import { check } from './make/verify.mjs'
import { weave } from './make/weave.mjs'
import { androidDirect, iphoneGroup } from './make/whatsapp.mjs'
import { zip } from './make/zip.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const archive = `${here}archive/`

/** Every message of every chat, as woven, by chat; Carmen's are cut where the two changed apps. */
function chats() {
  const carmen = weave('carmen'), moved = wall(CARMEN_MOVES)
  const saved = story('saved').flatMap(e => e.lines.map(l => ({ ...l, at: e.at + 17_000 })))
  const [joao, familia, haruka, salma, irina] = ['joao', 'familia', 'haruka', 'salma', 'irina'].map(weave)
  return {
    whatsapp: { huette: weave('huette'), carmen: carmen.filter(m => m.at < moved) },
    telegram: { joao, carmen: carmen.filter(m => m.at >= moved), haruka, familia, salma, irina, saved },
  }
}

/** path in the archive → bytes, with the counts that README.md and tests rely on. */
function everything() {
  const said = chats()
  const group = iphoneGroup(said.whatsapp.huette), direct = androidDirect(said.whatsapp.carmen)
  const telegrams = telegram(said.telegram), gpt = chatgpt(), cl = claude(), notes = vault()
  const files = {
    'WhatsApp Chat - Hüttenwochenende.zip': zip([['_chat.txt', Buffer.from(group.text)]]),
    'WhatsApp Chat with Carmen Ibáñez.txt': direct.text,
    'DataExport_2024-12-01/result.json': telegrams.text,
  }
  const put = (folder, content) => Object.entries(content).forEach(([path, text]) => (files[`${folder}/${path}`] = text))
  put('chatgpt-2024-12-01-08-55-10', gpt.files)
  put('data-2024-12-01-09-20-11-batch-0000', cl.files)
  put('Miras Vault', notes.files)
  const bytes = Object.fromEntries(Object.entries(files).map(([path, text]) => [path.normalize('NFC'), Buffer.from(text)]))
  return { bytes, searched: { ...files, 'WhatsApp Chat - Hüttenwochenende.zip': group.text }, said, counts: { group: group.count, direct: direct.count, telegram: telegrams.counts, gpt: gpt.count, claude: cl.count, vault: notes.count } }
}

const made = everything()
const readme = withCounts(readFileSync(`${here}README.md`, 'utf8'), made.counts)

if (process.argv.includes('--check')) {
  const faults = check(made, archive, readme, here)
  faults.forEach(f => console.error(f))
  console.log(faults.length ? `${faults.length} faults` : `${Object.keys(made.bytes).length} files as generated, all checks pass`)
  process.exitCode = faults.length ? 1 : 0
} else {
  rmSync(archive, { recursive: true, force: true })
  for (const [path, bytes] of Object.entries(made.bytes)) {
    mkdirSync(dirname(archive + path), { recursive: true })
    writeFileSync(archive + path, bytes)
  }
  writeFileSync(`${here}README.md`, readme)
  console.log(`${Object.keys(made.bytes).length} files, ${Object.values(made.bytes).reduce((n, b) => n + b.length, 0)} bytes`)
}
