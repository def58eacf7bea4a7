//! One query: understood, four lists under one pre-filter, fused, folded into hits.
//!
//! Filters apply before ranking. Where meaning is not yet read for all, words answer and the coverage
//! says so.

use crate::{
    Memory, MemoryError,
    catalogue::Catalogue,
    fusion::{self, Fused, Scores},
    order::{self, Question},
    people,
    query::{self, Understood},
    read,
    snippet::{self, in_utf16},
    speakers, words,
};
use evoke_embed::Side;
use evoke_message::{
    Chip, ConversationId, Filter, Found, Hit, Message, MessageId, Mode, Query, Shown, Sort, Why, fold,
};
use evoke_store::{Condition, Scored};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Candidates fetched from each list; more changes nothing up to R@20 (training/fusion.py).
const CANDIDATES: usize = 200;
/// Hits on a page where nobody says.
const PAGE: usize = 30;
/// Days around a named time in which a message still counts as near it.
const NEAR_DAYS: i64 = 14;

/// Bytes of a document before and after a passage of it that its snippet may show.
const AROUND: usize = 400;
/// Bytes of a document in which a match is looked for before its passages are read.
const UNREAD: usize = 64 << 10;

/// From how many standard deviations a hit is said to fit the order asked for.
const FITS: f32 = 1.0;

/// A query ready to run.
pub(crate) struct Asked {
    pub(crate) understood: Understood,
    pub(crate) condition: Condition,
    /// Tokens for the word lists, and as a set for highlights.
    words: String,
    pub(crate) tokens: HashSet<String>,
    pub(crate) languages: BTreeSet<words::Language>,
    pub(crate) mode: Mode,
    /// Best hits to read in order in any case.
    pub(crate) rerank: usize,
    /// By which published model; empty is the model in use.
    pub(crate) rerank_with: String,
    /// Made once, however often the lists are fetched.
    pub(crate) question: tokio::sync::OnceCell<Question>,
}

/// A passage of a message, its scores, and its bytes in the message's text.
type Candidate = (MessageId, i32, Scores, std::ops::Range<usize>);

/// A ranked message; the score is none where messages are only listed.
pub(crate) struct Ranked {
    pub(crate) message: MessageId,
    pub(crate) piece: i32,
    pub(crate) fused: Option<(f32, Why, std::ops::Range<usize>)>,
}

impl Memory {
    /// Searches now.
    pub async fn search(&self, query: &Query) -> Result<Found, MemoryError> {
        self.search_at(query, self.now()).await
    }

    /// Searches as if at an instant (UTC milliseconds): "last spring" is of that time.
    pub async fn search_at(&self, query: &Query, now: i64) -> Result<Found, MemoryError> {
        let started = std::time::Instant::now();
        self.refresh().await?;
        let asked = self.ask(query, now);
        let mut ranked = self.rank(&asked, asked.condition.clone()).await?;
        let before = std::time::Instant::now();
        let in_order = self.rank_in_order(&asked, &mut ranked).await?;
        let order_ms = in_order.then(|| before.elapsed().as_millis() as u64);
        self.sort(&mut ranked, query.sort);
        let limit = if query.limit == 0 { PAGE } else { query.limit };
        let page: Vec<&Ranked> = ranked.iter().skip(query.offset).take(limit).collect();
        let hits = self.hits(&page, &asked).await?;
        let (histogram_unit, histogram, facets) = self.around(query, &asked, &ranked).await?;
        let offers = if ranked.is_empty() { self.offers(query, &asked).await? } else { Vec::new() };
        let catalogue = self.catalogue();
        let conversations: HashSet<ConversationId> =
            ranked.iter().filter_map(|r| catalogue.get(r.message)).map(|r| catalogue.conversation(r)).collect();
        Ok(Found {
            chips: chips(query, &asked.understood, &catalogue),
            words: asked.understood.words.clone(),
            hits,
            messages: ranked.len() as u64,
            conversations: conversations.len() as u64,
            histogram_unit,
            histogram,
            facets,
            coverage: catalogue.coverage(),
            offers,
            took_ms: started.elapsed().as_millis() as u64,
            order_ms,
        })
    }

    /// Understands a query and resolves its names.
    pub(crate) fn ask(&self, query: &Query, now: i64) -> Asked {
        let understood = query::understand(&query.text, &self.local(now));
        let languages = read(&self.0.languages).clone();
        let mut tokens = words::query_tokens(&words::telling(&understood.words), &languages);
        let mut seen = HashSet::new();
        tokens.retain(|t| seen.insert(t.clone()));
        let filter = self.resolve(query, &understood);
        let (phrases, without) = (understood.phrases.clone(), understood.without.clone());
        Asked {
            condition: Condition { filter, phrases, without },
            words: words::joined(tokens.iter().map(String::as_str)),
            tokens: seen,
            languages,
            understood,
            mode: query.mode,
            rerank: query.rerank,
            rerank_with: query.rerank_with.clone(),
            question: tokio::sync::OnceCell::new(),
        }
    }

    /// What was clicked and what was typed, both must hold.
    fn resolve(&self, query: &Query, u: &Understood) -> Filter {
        let catalogue = self.catalogue();
        let mut people = (!query.people.is_empty()).then(|| catalogue.expand(&query.people));
        if !u.from.is_empty() {
            let named = people::named(&catalogue, &u.from);
            people = Some(both(people, named));
        }
        let company = (!u.people.is_empty()).then(|| people::company(&catalogue, &u.people));
        let mut conversations = (!query.conversations.is_empty()).then(|| query.conversations.clone());
        if !u.conversations.is_empty() {
            let wanted: Vec<String> = u.conversations.iter().map(|c| fold(c)).collect();
            let named = |id: &ConversationId| {
                catalogue.about(*id).is_some_and(|c| wanted.iter().any(|w| fold(&c.title).contains(w)))
            };
            // What belongs into a conversation is part of it.
            let named = catalogue
                .about_all()
                .filter(|c| named(&c.id) || c.parent.is_some_and(|parent| named(&parent)))
                .map(|c| c.id)
                .collect();
            conversations = Some(both(conversations, named));
        }
        let mut sources = query.sources.clone();
        sources.extend(u.sources.iter().map(|s| source_key(s)));
        let mut kinds = query.kinds.clone();
        kinds.extend(&u.kinds);
        let mut has = query.has.clone();
        has.extend(&u.has);
        let from = query.from.max(u.since);
        let until = [query.until, u.until].into_iter().flatten().min();
        Filter { sources, kinds, people, conversations, company, has, from, until }
    }

    /// All candidates under a condition, best first; in time, newest first, where nothing is to be ranked.
    pub(crate) async fn rank(&self, asked: &Asked, condition: Condition) -> Result<Vec<Ranked>, MemoryError> {
        if asked.words.is_empty() {
            return self.listed(&condition).await;
        }
        let (candidates, full) = self.candidates(asked, &condition).await?;
        let places: HashMap<(MessageId, i32), std::ops::Range<usize>> =
            candidates.iter().map(|c| ((c.0, c.1), c.3.clone())).collect();
        let scores: Vec<(MessageId, i32, Scores)> = candidates.into_iter().map(|c| (c.0, c.1, c.2)).collect();
        let mut fused = fusion::fuse(&scores, full, asked.mode);
        if fusion::ranks(asked.mode) {
            let catalogue = self.catalogue();
            fusion::lift(&mut fused, |message| catalogue.standing(message));
        }
        let ranked = fused.into_iter().map(|f| {
            let at = places.get(&(f.message, f.piece)).cloned().unwrap_or(0..0);
            let Fused { message, piece, score, why } = f;
            Ranked { message, piece, fused: Some((score, why, at)) }
        });
        Ok(ranked.collect())
    }

    /// Everything that passes, newest first, without a search.
    async fn listed(&self, condition: &Condition) -> Result<Vec<Ranked>, MemoryError> {
        let texts = !condition.phrases.is_empty() || !condition.without.is_empty();
        let passing = if texts { Some(self.store().passing(condition).await?) } else { None };
        let catalogue = self.catalogue();
        Ok(catalogue
            .in_time()
            .rev()
            .filter(|r| catalogue.passes(&condition.filter, r))
            .filter(|r| passing.as_ref().is_none_or(|p| p.contains(&r.id)))
            .map(|r| Ranked { message: r.id, piece: 0, fused: None })
            .collect())
    }

    /// The union of the lists, each candidate with its scores in all of them; and of each word list
    /// whether it may go on.
    async fn candidates(
        &self,
        asked: &Asked,
        condition: &Condition,
    ) -> Result<(Vec<Candidate>, [bool; 2]), MemoryError> {
        let store = self.store();
        let active = self.active();
        let passages = &active.passages;
        let words = matches!(asked.mode, Mode::Hybrid | Mode::Words);
        let meaning = !matches!(asked.mode, Mode::Words) && self.catalogue().coverage().embedded > 0;
        let vector = match meaning {
            true => Some(asked.question.get_or_try_init(|| self.question(&asked.understood.words)).await?),
            false => None,
        };
        let vector = vector.map(|question| &question.corrected);
        let by_words =
            async { if words { store.by_words(&asked.words, condition, CANDIDATES).await } else { Ok(vec![]) } };
        let by_context =
            async { if words { passages.by_words(&asked.words, condition, CANDIDATES).await } else { Ok(vec![]) } };
        let near = async |column: &'static str, on: bool| match vector {
            Some(vector) if on => passages.by_vector(column, vector, condition, CANDIDATES).await,
            _ => Ok(vec![]),
        };
        let (by_words, by_context, by_meaning, by_meaning_in_context) = tokio::try_join!(
            by_words,
            by_context,
            near("meaning", matches!(asked.mode, Mode::Hybrid | Mode::Static)),
            near("context", matches!(asked.mode, Mode::Hybrid | Mode::Context | Mode::Evolved)),
        )?;
        let messages: BTreeSet<MessageId> = [&by_words, &by_context, &by_meaning, &by_meaning_in_context]
            .into_iter()
            .flatten()
            .map(|l| l.message)
            .collect();
        let ids: Vec<MessageId> = messages.into_iter().collect();
        let scored = passages.scored(&ids, vector.map(Vec::as_slice)).await?;
        let words_of: HashMap<MessageId, f32> = by_words.iter().map(|l| (l.message, l.score)).collect();
        let context_of: HashMap<(MessageId, i32), f32> =
            by_context.iter().map(|l| ((l.message, l.piece), l.score)).collect();
        let read: HashSet<MessageId> = scored.iter().map(|s| s.message).collect();
        let unread = ids.iter().filter(|id| !read.contains(id)).map(|id| unread(*id));
        let named = speakers::named(&self.catalogue(), &asked.understood.words, ids.iter().copied());
        // A long message's passages know only their own words.
        let refused: HashSet<MessageId> = match condition.without.is_empty() {
            true => HashSet::new(),
            false => {
                let passing = store.passing(condition).await?;
                ids.iter().copied().filter(|id| !passing.contains(id)).collect()
            }
        };
        let full = [by_words.len() == CANDIDATES, by_context.len() == CANDIDATES];
        let catalogue = self.catalogue();
        let candidates = scored
            .into_iter()
            .chain(unread)
            .filter(|s| !refused.contains(&s.message))
            .map(|s| {
                let scores = Scores {
                    words: words_of.get(&s.message).copied(),
                    words_in_context: context_of.get(&(s.message, s.piece)).copied(),
                    meaning: s.meaning,
                    meaning_in_context: s.context,
                    length: s.length.max(0) as usize,
                    named: named.get(&s.message).copied().unwrap_or_default(),
                    asks: s.asks,
                    near: catalogue.get(s.message).map_or(0.0, |r| near_to(asked.understood.near, r.time)),
                };
                (s.message, s.piece, scores, s.start.max(0) as usize..s.end.max(0) as usize)
            })
            .collect();
        Ok((candidates, full))
    }

    /// The question as the model reads it, its vector also corrected by the archive's own statistics.
    async fn question(&self, text: &str) -> Result<Question, MemoryError> {
        let active = self.active();
        let embedder = self.embedder(&active).await?;
        let correction = active.statistics.lock().await.correction(embedder.prior());
        let (asked, reads) = (text.to_owned(), embedder.clone());
        let work = tokio::task::spawn_blocking(move || reads.embed(&[&asked], Side::Query));
        let first = work.await.map_err(anyhow::Error::from)??.into_iter().next();
        let (vector, seed) = first.map(|v| (v.values, v.seed)).unwrap_or_default();
        Question::new(text, correction.apply(&vector), vector, seed, &embedder)
    }

    pub(crate) fn sort(&self, ranked: &mut [Ranked], sort: Sort) {
        let catalogue = self.catalogue();
        let time = |r: &Ranked| catalogue.get(r.message).map_or((0, 0), |row| (row.time, row.order));
        match sort {
            Sort::Best => {}
            Sort::Newest => ranked.sort_by_key(|r| std::cmp::Reverse(time(r))),
            Sort::Oldest => ranked.sort_by_key(time),
        }
    }

    async fn hits(&self, page: &[&Ranked], asked: &Asked) -> Result<Vec<Hit>, MemoryError> {
        let ids: Vec<MessageId> = page.iter().map(|r| r.message).collect();
        let mut messages: HashMap<MessageId, Message> =
            self.store().messages(&ids).await?.into_iter().map(|m| (m.id, m)).collect();
        let catalogue = self.catalogue();
        let hits =
            page.iter().filter_map(|ranked| Some(hit(&catalogue, messages.remove(&ranked.message)?, ranked, asked)));
        Ok(hits.collect())
    }
}

fn hit(catalogue: &Catalogue, message: Message, ranked: &Ranked, asked: &Asked) -> Hit {
    let (score, mut why, at) = ranked.fused.clone().unwrap_or_default();
    let (text, at, file) = found_in(&message, at, asked);
    let cut = snippet::cut(&text, at.clone(), &asked.tokens, &asked.languages);
    let by_meaning = cut.highlights.is_empty() && (why.meaning.is_some() || why.meaning_in_context.is_some());
    let similar = by_meaning.then(|| {
        let lead = if cut.at.start > 0 { "… ".len() } else { 0 };
        let from = at.start.clamp(cut.at.start, cut.at.end) - cut.at.start + lead;
        let to = at.end.clamp(cut.at.start, cut.at.end) - cut.at.start + lead;
        if from < to { in_utf16(&cut.text, from..to) } else { in_utf16(&cut.text, 0..cut.text.len()) }
    });
    why.sentence = reason(&why, !cut.highlights.is_empty());
    if let Some(file) = &file {
        why.sentence = format!("in {file}: {}", why.sentence);
    }
    let message = shown(catalogue, message);
    Hit { message, score, snippet: cut.text, highlights: cut.highlights, file, similar, why }
}

/// The text to cut a snippet from, where in it the passage found stands, and the attached file whose words it is.
fn found_in(
    message: &Message,
    at: std::ops::Range<usize>,
    asked: &Asked,
) -> (String, std::ops::Range<usize>, Option<String>) {
    let name = |file: usize| message.attachments.get(file).map(|a| a.name.clone());
    let document = message.documents_at().find(|(_, place)| place.contains(&at.start));
    if let Some((file, place)) = document {
        let written = message.written();
        let from = written.floor_char_boundary(at.start.saturating_sub(AROUND).max(place.start));
        let to = written.ceil_char_boundary((at.end + AROUND).min(place.end));
        return (written[from..to].to_owned(), at.start - from..at.end - from, name(file));
    }
    let matches = |text: &str| !snippet::cut(text, 0..0, &asked.tokens, &asked.languages).highlights.is_empty();
    // Its passages are not read yet: the words may be in a file.
    if at.is_empty() && !message.documents.is_empty() && !matches(&message.text) {
        let head = |text: &str| text[..text.floor_char_boundary(UNREAD)].to_owned();
        let texts = message.documents.iter().map(|d| (d.file, head(&d.text)));
        if let Some((file, text)) = { texts }.find(|(_, text)| matches(text)) {
            return (text, 0..0, name(file));
        }
    }
    (message.text.clone(), at, None)
}

fn reason(why: &Why, bold: bool) -> String {
    let above = |z: Option<f32>| z.is_some_and(|z| z > 0.0);
    let parts = [
        (bold, "its words match"),
        (!bold && above(why.words_in_context), "words match in what was said just before"),
        (above(why.meaning), "it is close in meaning"),
        (!above(why.meaning) && above(why.meaning_in_context), "it is close in meaning with what was said before it"),
        (why.order.is_some_and(|z| z > FITS), why.asked.as_deref().and_then(order::sentence).unwrap_or_default()),
    ];
    let said: Vec<&str> = parts.into_iter().filter(|p| p.0 && !p.1.is_empty()).map(|p| p.1).collect();
    if said.is_empty() { "it passes the filters".to_owned() } else { said.join(", and ") }
}

/// A message as shown, with the names the archive knows.
pub(crate) fn shown(catalogue: &Catalogue, m: Message) -> Shown {
    let about = catalogue.about(m.conversation);
    let person = m.sender.person(&m.source);
    Shown {
        id: m.id,
        conversation: m.conversation,
        title: about.map(|c| c.title.clone()).unwrap_or_default(),
        conversation_kind: about.map_or(evoke_message::ConversationKind::Direct, |c| c.kind),
        kind: m.kind,
        person: catalogue.head(person),
        mine: m.sender.me || catalogue.is_me(person),
        name: m.sender.name,
        source: m.source,
        role: m.role,
        part: m.part,
        time: m.time,
        time_original: m.time_original,
        edited: m.edited,
        text: m.text,
        reply_to: m.reply_to,
        attachments: m.attachments,
        reactions: m.reactions,
        active: m.active,
    }
}

/// A message whose passages are not there yet.
fn unread(message: MessageId) -> Scored {
    Scored { message, piece: 0, length: 0, start: 0, end: 0, asks: false, meaning: None, context: None }
}

/// 1 inside the named time, falling to 0 over two weeks around it: what happened is told a little later.
fn near_to(named: Option<(i64, i64)>, time: i64) -> f32 {
    let Some((from, until)) = named else { return 0.0 };
    let away = (from - time).max(time - until + 1).max(0);
    (1.0 - away as f32 / (NEAR_DAYS * 86_400_000) as f32).max(0.0)
}

fn both<T: PartialEq>(clicked: Option<Vec<T>>, typed: Vec<T>) -> Vec<T> {
    match clicked {
        None => typed,
        Some(clicked) => typed.into_iter().filter(|t| clicked.contains(t)).collect(),
    }
}

/// A source by its key or by how it is called.
fn source_key(name: &str) -> String {
    evoke_import::FORMATS
        .iter()
        .find(|f| f.key == name || f.label.eq_ignore_ascii_case(name))
        .map_or_else(|| name.to_owned(), |f| f.key.to_owned())
}

/// Chips of what was typed, then of what was clicked.
fn chips(query: &Query, understood: &Understood, catalogue: &Catalogue) -> Vec<Chip> {
    let mut chips = understood.chips.clone();
    let mut clicked = |field: &str, label: String| {
        chips.push(Chip { field: field.to_owned(), label, text: String::new() });
    };
    for source in &query.sources {
        let label = evoke_import::FORMATS.iter().find(|f| f.key == source).map_or(source.as_str(), |f| f.label);
        clicked("source", label.to_owned());
    }
    for kind in &query.kinds {
        clicked("kind", kind.as_str().to_owned());
    }
    for has in &query.has {
        clicked("has", has.as_str().to_owned());
    }
    for person in &query.people {
        clicked("from", catalogue.name_of(*person).to_owned());
    }
    for conversation in &query.conversations {
        clicked("in", catalogue.about(*conversation).map(|c| c.title.clone()).unwrap_or_default());
    }
    chips
}
