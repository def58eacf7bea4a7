// Weaves a chat: the hand-written story at its dates, and small talk drawn from the stock around it, never
// the same line often, never beside a story, never about someone who is not there yet.

import { CHATS, PLACES, SINCE } from './cast.mjs'
import { DAY, HOUR, MINUTE, date, parts, season, wall } from './clock.mjs'
import { dice } from './dice.mjs'
import { said, stock, story, words } from './material.mjs'

const STORY_MARGIN = 3 * HOUR, TALK_MARGIN = 25 * MINUTE
const SOONEST_AGAIN = 200 * DAY
/** Fills of slots make a line new, so such an exchange may come back once more. */
const USES = 2, USES_WITH_SLOTS = 3

const MONTHS = {
  monat: ['Januar', 'Februar', 'März', 'April', 'Mai', 'Juni', 'Juli', 'August', 'September', 'Oktober', 'November', 'Dezember'],
  mesp: ['enero', 'febrero', 'marzo', 'abril', 'mayo', 'junio', 'julio', 'agosto', 'septiembre', 'octubre', 'noviembre', 'diciembre'],
  mesen: ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'],
}
const HOURS = { mo: [6.8, 9.5], no: [11.9, 13.8], ev: [17.8, 22], ni: [22.9, 24.9] }
/** What two people who live apart would not say. */
const AT_HOME = /casa|home|dinner|jantar|supermerc|supermarket|bring|kitchen|cozinha|sofá|onde|where|ontem|cama|gato|knödel|fridge|frigorífico|mãe|caf[eé]|sopa|soup|filme|watch|pancakes|jumper|gelo|migalhas/i

/** Whether an exchange may be said at a time: its tags, and who is known by then. */
function fits(exchange, at, chat, member) {
  const p = parts(at), day = date(at)
  const asked = { season: [], place: [] }
  for (const tag of exchange.tags) {
    if (tag.startsWith('d:') && tag.slice(2) !== day.slice(5)) return false
    if (tag === 'we' && p.weekday % 6) return false
    if (tag === 'wd' && !(p.weekday % 6)) return false
    if (tag[0] === '>' && day < tag.slice(1)) return false
    if (tag[0] === '<' && day >= tag.slice(1)) return false
    if (['wi', 'sp', 'su', 'au'].includes(tag)) asked.season.push(tag)
    if (tag in PLACES) asked.place.push(tag)
    if (/^1:/.test(tag) && !member(tag[2])) return false
  }
  if (asked.season.length && !asked.season.includes(season(at))) return false
  if (asked.place.length && !asked.place.some(k => day >= PLACES[k][0] && day <= PLACES[k][1])) return false
  const all = exchange.turns.map(t => t.text).join(' ')
  if (SINCE.some(([names, since]) => day < since && names.test(all) && !(chat.language === 'pt' && names.test('João')))) return false
  const apart = chat.language === 'pt' && day >= PLACES.far[0] && day <= PLACES.far[1]
  return !(apart && !asked.place.includes('far') && (exchange.tags.some(t => t in HOURS) || AT_HOME.test(all)))
}

/** One slot: a list, a list by season, or a computed word; `{klang2}` differs from `{klang}` in one exchange. */
function fill(text, at, language, chosen, luck) {
  return text.replace(/\{(?!photo|deleted)([a-z]+?)(2?)\}/g, (whole, name, second) => {
    if (name in MONTHS) return MONTHS[name][(parts(at).month1 + 1) % 12]
    if (name === 'dias') return String(Math.round((wall('2023-09-01') - at) / DAY))
    const given = words[language]?.[name]
    if (!given) throw new Error(`no words for ${whole} in ${language}`)
    const list = Array.isArray(given) ? given : given[season(at)]
    if (!second) return (chosen[name] ??= luck.pick(list))
    return luck.pick(list.filter(w => w !== chosen[name]))
  })
}

const slotted = text => /\{(?!photo|voice|call|sticker|deleted)/.test(text)

/** Who begins. Tags say "m1" (by letter) or "1:T"; Carmen writes small, so a small letter means her. */
function beginner(exchange, chat, luck, at) {
  for (const tag of exchange.tags) {
    if (/^[a-z]1$/.test(tag)) return tag[0] === 'i' ? 'R' : tag[0].toUpperCase()
    if (/^1:/.test(tag)) return tag[2]
  }
  if (chat.first) return chat.first
  if (!chat.group) return /^[\p{Ll}¿]/u.test(exchange.turns[0].text) ? 'C' : 'M'
  return other([], exchange, exchange.turns[0].text, chat, luck, at)
}

/** Somebody of the group who is there, has not spoken, and would say this line. */
function other(spoken, exchange, text, chat, luck, at) {
  const all = exchange.turns.map(t => t.text).join(' ')
  const shares = {}
  for (const [who, share] of Object.entries(chat.shares ?? { M: 1, [chat.first ?? 'C']: 1 })) {
    if (spoken.includes(who) || (chat.joined?.[who] && date(at) < chat.joined[who])) continue
    if (chat.group && chat.people[who] !== chat.people.M && all.includes(chat.people[who].split(' ')[0])) continue
    if (who === 'J' && chat.language === 'de' && text.length > 24) continue
    shares[who] = share
  }
  if (chat.language === 'pt_familia') {
    if (/Dona Lurdes|verde/.test(text)) return 'M'
    if (/bicicleta/.test(text)) return 'J'
    for (const who of /filha|[Mm]enina/.test(text) ? ['I', 'J', 'M'] : /\b[Mm]ãe\b/.test(text) ? ['L', 'M'] : []) delete shares[who]
  }
  return luck.weighted(shares)
}

/** How somebody writes: Femke all small, Thilo with his regards. */
function voice(text, who, chat, luck) {
  if (chat.language !== 'de' || !text || text.includes('LG')) return text
  if (who === 'F') return text.toLowerCase()
  if (who === 'T' && luck.chance(0.45)) return `${text}${/[.!?…]$/.test(text) ? '' : '.'} LG Thilo`
  return text
}

/** The lines of one exchange with their speakers. */
function cast(exchange, at, chat, luck) {
  const first = beginner(exchange, chat, luck, at), chosen = {}
  const forced = exchange.tags.find(t => /^2:/.test(t))?.[2]
  let pair = [first], last = null, turn = 0, speaker = first
  return exchange.turns.map((t, i) => {
    if (t.how === '=') speaker = last
    else if (t.how === '+') speaker = other(pair, exchange, t.text, chat, luck, at)
    else {
      if (i && pair.length < 2) pair.push(forced ?? other(pair, exchange, t.text, chat, luck, at))
      speaker = pair[turn++ % 2 ? 1 : 0]
    }
    last = speaker
    const line = said(speaker, fill(t.text, at, chat.language, chosen, luck))
    return { ...line, text: voice(line.text, speaker, chat, luck) }
  })
}

/** Times for lines said one after another: the longer the line, the longer the typing. */
function clocked(lines, at, luck, talk) {
  let now = at + luck.between(0, 59) * 1000
  return lines.map((line, i) => {
    if (i) now += line.wait || luck.between(4, 40) * 1000 + line.text.length * luck.between(120, 420) + (luck.chance(0.12) ? luck.between(2, 9) * MINUTE : 0)
    return { ...line, at: now, talk }
  })
}

/** A time of day for an exchange, by its tags or by the habits of a day. */
function hour(exchange, luck) {
  const tag = exchange.tags.find(t => t in HOURS) ?? luck.weighted({ mo: 18, no: 20, af: 18, ev: 44 })
  const [from, until] = HOURS[tag] ?? [14.2, 17.6]
  return Math.floor((from + luck.roll() * (until - from)) * 60) * MINUTE
}

/** How often an exchange may be had: news only once. */
function most(exchange) {
  if (exchange.tags.includes('once')) return 1
  return exchange.turns.every(t => slotted(t.text) || t.text.length < 14) ? USES_WITH_SLOTS : USES
}

/** The least used exchange that fits a day; ties fall by chance. */
function choose(shelf, day, chat, luck) {
  const member = who => who in chat.people && !(chat.joined?.[who] && date(day) < chat.joined[who])
  const open = shelf.filter(e => e.uses.length < most(e)
    && (!e.uses.length || day - e.uses.at(-1) > SOONEST_AGAIN) && fits(e, day, chat, member))
  const feast = open.filter(e => e.tags.some(t => t.startsWith('d:')))
  const from = feast.length ? feast : open
  const fewest = Math.min(...from.map(e => e.uses.length))
  const rare = from.filter(e => e.uses.length === fewest)
  return rare.length ? luck.pick(rare) : null
}

/** All messages of a chat, oldest first: { at, who, text, mark, value, reply, talk }. */
export function weave(name) {
  const chat = CHATS[name], luck = dice(name)
  const told = story(name).map(e => clocked(e.lines, e.at, luck, false))
  const busy = told.map(lines => [lines[0].at - STORY_MARGIN, lines.at(-1).at + STORY_MARGIN])
  const shelf = stock(chat.stock).filter(e => chat.language !== 'rest' || e.tags[0] === name)
  const talked = []
  for (const day of days(chat, luck)) {
    const exchange = choose(shelf, day, chat, luck)
    if (!exchange) continue
    const at = day + hour(exchange, luck)
    const lines = clocked(cast(exchange, at, chat, luck), at, luck, true)
    if (luck.chance(0.3)) lines.push(closing(lines, chat, luck))
    const span = [lines[0].at - TALK_MARGIN, lines.at(-1).at + TALK_MARGIN]
    if (busy.some(([from, until]) => span[0] < until && span[1] > from)) continue
    busy.push(span)
    exchange.uses.push(day)
    talked.push(lines)
  }
  return [...told, ...talked].flat().sort((a, b) => a.at - b.at)
}

/** A short word at the end of an exchange, by somebody else. */
function closing(lines, chat, luck) {
  const last = lines.at(-1)
  const here = Object.keys(chat.shares ?? chat.people).filter(w => w !== last.who && !(chat.joined?.[w] && date(last.at) < chat.joined[w]))
  return { ...said(luck.pick(here), luck.pick(chat.short)), at: last.at + luck.between(6, 200) * 1000, talk: true }
}

/** The days on which small talk is tried, weekends more often, feasts always, quiet days never. */
function days(chat, luck) {
  const found = []
  for (const [from, until, month] of chat.spans) {
    for (let day = wall(from); day < wall(until); day += DAY) {
      if (chat.quiet.some(([a, b]) => date(day) >= a && date(day) <= b)) continue
      const feast = /-(12-2[456]|12-31|01-01|05-03)$/.test(date(day))
      const weekend = parts(day).weekday % 6 === 0
      const tries = (month / 30) * (weekend ? 0.5 : 0.34)
      if (feast || luck.chance(tries)) found.push(day)
      if (luck.chance(tries * 0.25)) found.push(day)
    }
  }
  return found
}
