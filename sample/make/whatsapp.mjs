// WhatsApp's two text exports: iPhone set to German (brackets, seconds, U+200E) and Android set to US English
// (dashes, no seconds, U+202F before AM/PM). Media are named but were left out. No zip here: see zip.mjs.

import { CHATS } from './cast.mjs'
import { MINUTE, parts, wall } from './clock.mjs'
import { dice } from './dice.mjs'

const MARKED = '\u200e', NARROW = '\u202f'
/** Since when the app marks edited messages. */
const EDITS_SINCE = wall('2023-06-01')

/** Words of the German iPhone export. */
const GERMAN = {
  encrypted: 'Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt. Nur Personen in diesem Chat können sie lesen oder anhören.',
  created: who => `${who} hat die Gruppe „Hüttenwochenende“ erstellt`,
  added: who => `${who} hat dich hinzugefügt`,
  adds: (_, whom) => `Du hast ${whom} hinzugefügt`,
  voice: 'Audio weggelassen', sticker: 'Sticker weggelassen',
  deleted: 'Diese Nachricht wurde gelöscht.', deletedMine: 'Du hast diese Nachricht gelöscht.',
  edited: '<Diese Nachricht wurde bearbeitet.>',
}

/** "[15.01.24, 10:30:00] " */
function bracket(at) {
  const p = parts(at)
  return `[${p.day}.${p.month}.${String(p.year).slice(2)}, ${p.HH}:${p.mm}:${p.ss}] `
}

/** What a message's line says after its head; a photo with a caption becomes two lines. */
function germanBodies(m, number) {
  const p = parts(m.at)
  const stamp = `${p.year}-${p.month}-${p.day}-${p.HH}-${p.mm}-${p.ss}`
  const file = (kind, ending) => `<Anhang: ${String(number).padStart(8, '0')}-${kind}-${stamp}.${ending}>`
  if (m.mark === 'photo') return [[file('PHOTO', 'jpg'), true], ...(m.text ? [[m.text, false]] : [])]
  if (m.mark === 'voice') return [[file('AUDIO', 'opus'), true]]
  if (m.mark === 'sticker') return [[GERMAN.sticker, true]]
  if (m.mark === 'deleted') return [[m.who === 'M' ? GERMAN.deletedMine : GERMAN.deleted, true]]
  return [[m.mark === 'edited' ? `${m.text} ${MARKED}${GERMAN.edited}` : m.text, false]]
}

/** The group's `_chat.txt` and what is in it. */
export function iphoneGroup(messages) {
  const { people, title } = CHATS.huette
  const lines = [], count = { messages: 0, system: 0 }
  const system = (at, text) => {
    lines.push(`${MARKED}${bracket(at)}${title}: ${MARKED}${text}`)
    count.system++
  }
  system(messages[0].at, GERMAN.encrypted)
  for (const m of spoiled(messages, 'huette', EDITS_SINCE)) {
    if (!m.who) {
      system(m.at, GERMAN[m.mark](...m.value.map(w => people[w])))
      continue
    }
    for (const [text, media] of germanBodies(m, lines.length)) {
      lines.push(`${media ? MARKED : ''}${bracket(m.at)}${people[m.who]}: ${media ? MARKED : ''}${text}`)
      count.messages++
    }
  }
  return { text: lines.join('\r\n') + '\r\n', count }
}

/** "1/15/24, 10:30 AM - " */
function dash(at) {
  const p = parts(at)
  return `${p.month1}/${p.day1}/${String(p.year).slice(2)}, ${p.hour % 12 || 12}:${p.mm}${NARROW}${p.hour < 12 ? 'AM' : 'PM'} - `
}

function englishBody(m, number) {
  const p = parts(m.at)
  const file = (kind, ending) => `${kind}-${p.year}${p.month}${p.day}-WA${String(number % 40).padStart(4, '0')}.${ending} (file attached)`
  if (m.mark === 'photo') return file('IMG', 'jpg') + (m.text ? `\n${m.text}` : '')
  if (m.mark === 'voice') return file('PTT', 'opus')
  if (m.mark === 'sticker') return '<Media omitted>'
  if (m.mark === 'call') return `Voice call, ${Math.round(m.value / 60)} min`
  if (m.mark === 'deleted') return m.who === 'M' ? 'You deleted this message' : 'This message was deleted'
  return m.mark === 'edited' ? `${m.text} <This message was edited>` : m.text
}

/** The direct chat as Android writes it, with the lines that belong to nobody. */
export function androidDirect(messages) {
  const { people } = CHATS.carmen
  const count = { messages: 0, system: 0 }
  const lines = [`${dash(messages[0].at)}Messages and calls are end-to-end encrypted. Only people in this chat can read, listen to, or share them.`]
  const asides = [['2020-09-14 11:20', 'Your security code with Carmen Ibáñez changed. Tap to learn more.'], ['2021-12-19 16:05', 'Missed voice call']]
  for (const m of spoiled(messages, 'carmen', EDITS_SINCE)) {
    while (asides.length && wall(asides[0][0]) <= m.at) lines.push(dash(wall(asides[0][0])) + asides.shift()[1])
    lines.push(`${dash(m.at)}${people[m.who]}: ${englishBody(m, lines.length)}`)
    count.messages++
  }
  count.system = lines.length - count.messages
  return { text: lines.join('\n') + '\n', count }
}

/** A few messages are deleted or edited, as happens to anybody's small talk. */
function* spoiled(messages, name, editsSince) {
  const luck = dice(`${name} spoiled`)
  for (const m of messages) {
    const slip = luck.roll()
    if (m.talk && !m.mark && slip < 0.006) yield { ...m, at: m.at - MINUTE / 2, text: '', mark: 'deleted' }
    const edited = m.talk && !m.mark && m.at > editsSince && m.text.length > 20 && slip > 0.95
    yield edited ? { ...m, mark: 'edited' } : m
  }
}
