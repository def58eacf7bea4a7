// A made-up messenger's history of any size, the same at each run: conversations of very unequal length,
// bursts and pauses, mostly short messages, three languages. Written as a Telegram export.

import { createWriteStream } from "node:fs";
import { once } from "node:events";

/** Words by language: what a message begins with, who does it, what is done, and when. */
const languages = {
  en: {
    short: ["ok", "yes please", "haha", "on my way", "not yet", "thanks!", "see you there", "sure", "why not", "let me check"],
    open: ["by the way", "honestly", "I think", "guess what", "as I said", "last night", "good news", "sorry", "do you remember how", "in the end"],
    who: ["my sister", "the landlord", "we", "the doctor", "her brother", "the neighbours", "my boss", "they", "the whole team", "nobody"],
    does: ["forgot the keys in", "is moving to", "cooked dinner for", "asked me about", "cancelled the trip to", "found a flat in", "keeps talking about", "wants to sell", "repaired the bike for", "booked tickets to"],
    tail: ["again", "before the weekend", "and it was wonderful", "which surprised me", "because of the rain", "for next spring", "without telling anyone", "after all these years", "so we should meet", "and I cannot stop laughing"],
  },
  de: {
    short: ["ok", "ja gerne", "haha", "bin unterwegs", "noch nicht", "danke!", "bis gleich", "klar", "warum nicht", "ich schau mal"],
    open: ["übrigens", "ehrlich gesagt", "ich glaube", "stell dir vor", "wie gesagt", "gestern Abend", "gute Nachrichten", "entschuldige", "weißt du noch, wie", "am Ende"],
    who: ["meine Schwester", "der Vermieter", "wir alle", "die Ärztin", "ihr Bruder", "die Nachbarn", "meine Chefin", "niemand", "das ganze Team", "mein Vater"],
    does: ["hat die Schlüssel vergessen in", "zieht um nach", "hat gekocht für", "fragte mich nach", "sagte die Reise ab nach", "hat eine Wohnung gefunden in", "redet dauernd von", "verkauft jetzt", "reparierte das Fahrrad von", "hat Karten gekauft für"],
    tail: ["schon wieder", "vor dem Wochenende", "und es war wunderbar", "was mich gewundert hat", "wegen des Regens", "für nächsten Frühling", "ohne ein Wort zu sagen", "nach all den Jahren", "also sollten wir uns sehen", "und ich muss immer noch lachen"],
  },
  es: {
    short: ["vale", "sí, claro", "jajaja", "ya voy", "todavía no", "¡gracias!", "nos vemos allí", "bueno", "por qué no", "déjame mirar"],
    open: ["por cierto", "la verdad", "creo que", "adivina qué", "como te decía", "anoche", "buenas noticias", "perdona", "te acuerdas de cuando", "al final"],
    who: ["mi hermana", "el casero", "nosotros", "la médica", "su hermano", "los vecinos", "mi jefa", "nadie", "todo el equipo", "mi padre"],
    does: ["olvidó las llaves en", "se muda a", "cocinó para", "me preguntó por", "canceló el viaje a", "encontró piso en", "no para de hablar de", "quiere vender", "arregló la bici de", "compró entradas para"],
    tail: ["otra vez", "antes del fin de semana", "y fue maravilloso", "y me sorprendió", "por la lluvia", "para la primavera", "sin decir nada a nadie", "después de tantos años", "así que tenemos que vernos", "y no puedo parar de reír"],
  },
};
const keys = Object.keys(languages);
const syllables = ["ba", "lo", "mi", "ra", "ten", "do", "ka", "ve", "sul", "no", "ri", "gar", "pe", "lin", "tor", "a"];

/** Mulberry32 (public domain, Tommy Ettinger): 0 to 1, repeatable. */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const pick = (list, random) => list[Math.floor(random() * list.length)];

/** Places and things with names of their own, a few often and most rarely, as in life (Zipf). */
function nameOf(random) {
  const rank = Math.floor(2000 ** random());
  const own = chance(rank);
  const name = Array.from({ length: 2 + Math.floor(own() * 3) }, () => pick(syllables, own)).join("");
  return name[0].toUpperCase() + name.slice(1);
}

/** One in four messages is a word or two; the others have one clause, at times two or three. */
export function textOf(language, random) {
  const words = languages[language];
  if (random() < 0.26) return pick(words.short, random);
  const clauses = 1 + Number(random() < 0.3) + Number(random() < 0.08);
  const said = Array.from({ length: clauses }, () => {
    const clause = [pick(words.who, random), pick(words.does, random), nameOf(random)];
    if (random() < 0.35) clause.unshift(pick(words.open, random));
    if (random() < 0.5) clause.push(pick(words.tail, random));
    return clause.join(" ");
  });
  return said.join(". ") + (random() < 0.15 ? " 😄" : "");
}

/** Shares of the conversations: the longest holds about a fifth of all. */
function sizes(messages) {
  const count = Math.max(4, Math.round(messages / 1200));
  const weights = Array.from({ length: count }, (_, at) => 1 / (at + 1));
  const whole = weights.reduce((a, b) => a + b, 0);
  const all = weights.map((weight) => Math.max(1, Math.floor((messages * weight) / whole)));
  all[0] += messages - all.reduce((a, b) => a + b, 0);
  return all;
}

const firstDay = Date.UTC(2016, 0, 4) / 1000;
const years = 9 * 365 * 86_400;

/** Messages of one conversation, in order: bursts of a few minutes, then hours or days of silence. */
function* messagesOf(at, size, random) {
  const language = keys[at % keys.length];
  const group = at % 5 === 3;
  const people = Array.from({ length: group ? 6 : 2 }, (_, n) => ({ name: `${nameOf(random)} ${nameOf(random)}`, id: `user${at * 10 + n + 1}` }));
  people[0] = { name: "Robin Test", id: "user1" };
  let time = firstDay + random() * 86_400;
  const pause = (years / size) * 12;
  for (let id = 1; id <= size; id += 1) {
    time += random() < 0.92 ? 5 + random() * 240 : 600 + random() ** 3 * pause * 4;
    const { name, id: from } = pick(people, random);
    yield { id, time: Math.floor(time), name, from, text: textOf(random() < 0.95 ? language : pick(keys, random), random) };
  }
}

/** Writes the export; memory stays small however many messages there are. */
export async function writeExport(path, messages) {
  const out = createWriteStream(path);
  const random = chance(messages);
  const write = async (text) => void (out.write(text) || (await once(out, "drain")));
  await write('{"about":"A made-up history for a benchmark.","personal_information":{"user_id":1,"first_name":"Robin","last_name":"Test"},"chats":{"list":[');
  for (const [at, size] of sizes(messages).entries()) {
    const type = at % 5 === 3 ? "private_group" : "personal_chat";
    await write(`${at ? "," : ""}\n{"name":"${nameOf(random)} ${at}","type":"${type}","id":${at + 1},"messages":[`);
    let first = true;
    for (const { id, time, name, from, text } of messagesOf(at, size, random)) {
      const date = new Date(time * 1000).toISOString().slice(0, 19);
      const entities = [{ type: "plain", text }];
      const message = { id, type: "message", date, date_unixtime: String(time), from: name, from_id: from, text, text_entities: entities };
      await write(`${first ? "" : ","}\n${JSON.stringify(message)}`);
      first = false;
    }
    await write("]}");
  }
  await write("]}}\n");
  out.end();
  await once(out, "finish");
}

/** Thirty questions of the kinds people ask: a word, a name, a few words, a half-remembered sentence. */
export function questions() {
  const random = chance(7);
  return Array.from({ length: 30 }, (_, at) => {
    const words = languages[keys[at % 3]];
    const [who, does, name] = [pick(words.who, random), pick(words.does, random), nameOf(random)];
    return [name, `${does.split(" ").at(-2)} ${name}`, `${who} ${does} ${name}`, pick(words.tail, random), does][at % 5];
  });
}
