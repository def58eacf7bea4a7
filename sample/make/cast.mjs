// Who is in which chat, and how much they chat about nothing in particular. What they live through is in
// ../material; this file holds only names, sizes and silences.

export const OWNER = 'Mira Lund'
export const EXPORTED = '2024-12-01 09:12'

/** Where the owner lives, by the tags of the small talk. */
export const PLACES = {
  L: ['2019-01-01', '2019-09-27'], H: ['2019-09-29', '2021-06-30'], P: ['2021-07-04', '2023-02-25'],
  far: ['2023-02-28', '2023-08-30'], B: ['2023-09-03', '2024-12-01'],
}

/** A line that names one of these cannot be said before that day. */
export const SINCE = [
  [/Knödel|Bürgermeister|mayor|クネーデル|市長|мэр|Мэр|كنودل/, '2020-05-01'],
  [/Azeitona/, '2024-02-25'],
  [/João/, '2021-12-01'],
  [/\bIda\b/, '2021-08-01'],
  [/Hauke/, '2020-08-01'],
  [/Irina/, '2023-09-10'],
]

/**
 * A chat: people by the letter of the material, the share each has of the small talk, the stock and language
 * it is drawn from, and spans [from, until, lines a month]. `quiet` are days without small talk.
 */
export const CHATS = {
  huette: {
    title: 'Hüttenwochenende', stock: 'small_de', language: 'de', group: true,
    people: { M: OWNER, B: 'Basti', F: 'Femke', T: 'Thilo Brandt', S: 'Salma Haddad', H: 'Haruka Mori', J: 'João' },
    shares: { M: 24, B: 20, F: 18, S: 15, T: 10, H: 7, J: 9 }, joined: { J: '2023-09-11' },
    spans: [['2019-01-08', '2020-03-10', 9.5], ['2020-03-16', '2020-07-01', 12.5], ['2020-07-01', '2023-03-01', 9], ['2023-03-01', '2024-11-30', 11.5]],
    quiet: [['2020-03-14', '2020-03-20'], ['2022-06-17', '2022-06-20'], ['2024-03-08', '2024-03-10']],
    short: ['😂', '😂😂', 'haha', '❤️', '👏', 'genau', 'lol', '🥹', '+1', 'stimmt', 'oh ja', '💛', '🙈', 'sehr gut', 'hihi', '🧀🔥', 'ach', 'toll', '笑', 'ja bitte', 'same'],
  },
  carmen: {
    title: 'Carmen Ibáñez', stock: 'small_es', language: 'es', people: { M: OWNER, C: 'Carmen Ibáñez' },
    spans: [['2019-01-09', '2023-08-11', 7.6], ['2023-08-14', '2024-11-28', 11]],
    quiet: [['2019-07-19', '2019-07-26'], ['2020-03-14', '2020-03-22'], ['2021-10-08', '2021-10-12'], ['2024-11-06', '2024-11-10']],
    short: ['jajaja', '😂', 'jajajaja', 'ok', 'vale', '❤️', 'te quiero', 'hahaha', '💛', 'ay', 'claro', 'jajaj', 'true', 'olé'],
  },
  joao: {
    title: 'João Tavares', stock: 'small_pt', language: 'pt', people: { M: OWNER, J: 'João Tavares' }, first: 'J',
    spans: [['2021-11-08', '2023-02-25', 14], ['2023-02-28', '2023-08-31', 16], ['2023-09-04', '2024-11-29', 21]],
    quiet: [['2021-12-22', '2021-12-28'], ['2022-06-16', '2022-06-21'], ['2023-12-22', '2024-01-02'], ['2024-09-06', '2024-09-29']],
    short: ['😂', '❤️', 'ahah', 'ok', 'haha', '😘', 'claro', 'sim', 'beijo', '🚲', 'pronto', 'ahahah', '💚'],
  },
  familia: {
    title: 'Família Tavares 🐟', stock: 'small_pt_familia', language: 'pt_familia', group: true,
    people: { L: 'Lurdes Tavares', I: 'Inês Tavares', J: 'João Tavares', M: OWNER },
    shares: { L: 40, I: 25, J: 20, M: 15 }, spans: [['2022-04-12', '2024-11-28', 3.6]], quiet: [['2024-09-06', '2024-09-29']],
    short: ['❤️', '😂', 'ahahah', '🙏', 'Amém', 'pois', '🌹', 'olha olha'],
  },
  haruka: {
    title: 'Haruka Mori', stock: 'small_rest', language: 'rest', people: { M: OWNER, H: 'Haruka Mori' }, first: 'H',
    spans: [['2020-11-16', '2024-11-25', 3.4]], quiet: [['2024-09-16', '2024-09-21']],
    short: ['笑', '😂', '了解！', 'はい！', '🙏', 'なるほど', '❤️', 'うん', 'haha', '🍙'],
  },
  salma: {
    title: 'Salma Haddad', stock: 'small_rest', language: 'rest', people: { M: OWNER, S: 'Salma Haddad' }, first: 'S',
    spans: [['2022-05-28', '2024-11-26', 2.2]], quiet: [], short: ['😂', '❤️', 'هههه', 'تمام', 'يلا', '🌹'],
  },
  irina: {
    title: 'Irina Petrowna', stock: 'small_rest', language: 'rest', people: { M: OWNER, R: 'Irina Petrowna' }, first: 'R',
    spans: [['2023-09-12', '2024-11-28', 4]], quiet: [['2024-09-07', '2024-09-28']], short: ['🙏', '🌷', 'Хорошо', '❤️', 'Конечно'],
  },
}

/** Carmen moved from WhatsApp to Telegram between these two conversations. */
export const CARMEN_MOVES = '2023-08-13 00:00'
