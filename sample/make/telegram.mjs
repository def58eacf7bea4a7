// Telegram Desktop's full export as machine-readable JSON: one result.json with the owner, the contacts and
// the chats. Media are named but were left out, as with "File not included".

import { CHATS, EXPORTED } from './cast.mjs'
import { MINUTE, instant, wall } from './clock.mjs'
import { dice } from './dice.mjs'

const LEFT_OUT = '(File not included. Change data exporting settings to download.)'
const ACCOUNT = {
  'Mira Lund': 501000017, 'Carmen Ibáñez': 501000023, 'João Tavares': 501000042, 'Haruka Mori': 501000058,
  'Salma Haddad': 501000061, 'Irina Petrowna': 501000074, 'Lurdes Tavares': 501000085, 'Inês Tavares': 501000086,
}
const FAMILIA_ID = 4120000191
/** Numbers and tags that Telegram marks by itself. */
const FOUND = /(030 23125 142)|(#\p{L}+)/gu

const stamp = at => new Date(at).toISOString().slice(0, 19)
const unix = at => String(Math.floor(instant(at) / 1000))

/** A text as Telegram cuts it: `text` is a string where nothing is marked, `text_entities` always a list. */
function texts(text) {
  const pieces = text.split(FOUND).filter(Boolean).map(t => ({ type: /^030/.test(t) ? 'phone' : /^#/.test(t) ? 'hashtag' : 'plain', text: t }))
  const plain = pieces.every(p => p.type === 'plain')
  return { text: plain ? text : pieces.map(p => (p.type === 'plain' ? p.text : p)), text_entities: pieces }
}

/** The fields that a photo, a voice message or a sticker adds. */
function media(m) {
  if (m.mark === 'photo') return { photo: LEFT_OUT, width: 1280, height: 960 }
  if (m.mark === 'voice') return { file: LEFT_OUT, media_type: 'voice_message', mime_type: 'audio/ogg', duration_seconds: Number(m.value) }
  if (m.mark === 'sticker') return { file: LEFT_OUT, media_type: 'sticker', sticker_emoji: m.value, width: 512, height: 512 }
  return {}
}

function message(m, id, name, replyTo) {
  const times = { date: stamp(m.at), date_unixtime: unix(m.at) }
  const by = { from: name, from_id: `user${ACCOUNT[name]}` }
  const edited = m.mark === 'edited' ? { edited: stamp(m.at + 2 * MINUTE), edited_unixtime: unix(m.at + 2 * MINUTE) } : {}
  const reply = replyTo ? { reply_to_message_id: replyTo } : {}
  return { id, type: 'message', ...times, ...edited, ...by, ...reply, ...media(m), ...texts(m.text) }
}

function service(m, id, people, title) {
  const name = m.mark === 'call' ? people[m.who] : people[m.value[0]]
  const base = { id, type: 'service', date: stamp(m.at), date_unixtime: unix(m.at), actor: name, actor_id: `user${ACCOUNT[name]}` }
  return m.mark === 'call'
    ? { ...base, action: 'phone_call', duration_seconds: Number(m.value), discard_reason: 'hangup', text: '', text_entities: [] }
    : { ...base, action: 'create_group', title, members: Object.values(people), text: '', text_entities: [] }
}

function reaction(emoji, m, name) {
  return [{ type: 'emoji', count: 1, emoji, recent: [{ from: name, from_id: `user${ACCOUNT[name]}`, date: stamp(m.at) }] }]
}

/** A chat's messages in Telegram's words. Deleted ones leave no trace; a {react} joins the message before. */
function chatMessages(name, messages, nextId, count) {
  const { people, title } = CHATS[name] ?? { people: { M: 'Mira Lund' } }
  const luck = dice(`${name} telegram`), written = []
  const last = {}
  for (const m of messages) {
    if (m.mark === 'deleted') continue
    if (m.mark === 'react') {
      written.at(-1).reactions = reaction(m.value, m, people[m.who])
      continue
    }
    if (!m.who || m.mark === 'call') {
      written.push(service(m, nextId(m), people, title))
      count.system++
      continue
    }
    const other = Object.keys(last).filter(w => w !== m.who).map(w => last[w]).sort((a, b) => b - a)[0]
    const edited = m.talk && !m.mark && m.text.length > 20 && luck.chance(0.02)
    const id = nextId(m)
    written.push(message(edited ? { ...m, mark: 'edited' } : m, id, people[m.who], (m.reply || (m.talk && luck.chance(0.06))) && other))
    last[m.who] = id
    count.messages++
    if (m.talk && luck.chance(0.05)) written.at(-1).reactions = reaction(luck.pick(['❤', '😁', '👍', '🔥']), m, people[Object.keys(people).find(w => w !== m.who) ?? m.who])
  }
  return written
}

/** Message ids run through all private chats in order of time. */
function numbered(chats) {
  const all = Object.values(chats).flat().sort((a, b) => a.at - b.at)
  const ids = new Map(all.map((m, i) => [m, 1001 + i * 3]))
  return m => ids.get(m)
}

function contacts() {
  return Object.entries(ACCOUNT).slice(1).map(([name, id], i) => {
    const [first_name, ...rest] = name.split(' ')
    return { user_id: id, first_name, last_name: rest.join(' '), phone_number: `00000555010${i}`, date: '2021-11-06T19:20:00', date_unixtime: unix(wall('2021-11-06 19:20')) }
  })
}

/** `chats` maps a name of cast.mjs (and "saved") to its messages → result.json and counts by chat. */
export function telegram(chats) {
  const nextId = numbered(chats), counts = {}
  const list = Object.entries(chats).map(([name, messages]) => {
    counts[name] = { messages: 0, system: 0 }
    const written = chatMessages(name, messages, nextId, counts[name])
    if (name === 'saved') return { type: 'saved_messages', id: ACCOUNT['Mira Lund'], messages: written }
    const { title, group } = CHATS[name]
    return { name: title, type: group ? 'private_group' : 'personal_chat', id: group ? FAMILIA_ID : ACCOUNT[title], messages: written }
  })
  const result = {
    about: `Telegram data of an invented person, written ${EXPORTED} for the sample archive.`,
    personal_information: { user_id: ACCOUNT['Mira Lund'], first_name: 'Mira', last_name: 'Lund', phone_number: '000005550100', username: '@mira_lund_sample', bio: 'kleine Sätze' },
    profile_pictures: [],
    contacts: { about: 'Contacts of the sample.', list: contacts() },
    chats: { about: 'All chats of the sample.', list },
    left_chats: { about: 'No left chats.', list: [] },
  }
  return { text: JSON.stringify(result, null, 1), counts }
}
