//! Google Voice in a Takeout: an HTML page for each stretch of a conversation, call and voicemail (formats.md §25).

use crate::{
    Format, ImportError, Options,
    export::Export,
    html, mime,
    out::Out,
    record::{ContentIds, Thread},
    text::decode,
    threads::Threads,
    time,
};
use evoke_message::{Attachment, Contact, ConversationKind, Kind, Message, Part, Place, Sender};
use scraper::{ElementRef, Html, Selector};
use std::{
    collections::{BTreeSet, HashMap},
    io::Read,
};

pub(crate) const FORMAT: Format = Format {
    key: "google_voice",
    label: "Google Voice",
    kind: Kind::Chat,
    how_to_export: "On takeout.google.com, deselect all, choose Voice, and create the export. Choose the zip here as it is, or all parts of \
                    it in one folder.",
    detect,
    read,
};

fn detect(export: &Export) -> Option<Vec<usize>> {
    let single = export.files().len() == 1;
    let may_be = |path: &str| single || path.to_ascii_lowercase().ends_with(".html");
    let pages: Vec<usize> = export
        .unclaimed()
        .filter(|(i, file)| may_be(&file.path) && export.head(*i).is_ok_and(|head| is_page(&head)))
        .map(|(i, _)| i)
        .collect();
    (!pages.is_empty()).then_some(pages)
}

fn is_page(head: &[u8]) -> bool {
    let has = |words: &str| head.windows(words.len()).any(|w| w == words.as_bytes());
    has("class=\"hChatLog hfeed\"") || (has("class=\"haudio\"") && has("class=\"contributor vcard\""))
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut reading =
        Reading { export, options, numbers: HashMap::new(), told: BTreeSet::new(), threads: Threads::default() };
    // Who never answered has a number only on other pages.
    for &file in files {
        if let Ok(page) = reading.page(file) {
            reading.learn(&page, out);
        }
        if out.stopped() {
            return Ok(());
        }
    }
    for &file in files {
        match reading.page(file) {
            Ok(page) => reading.put(&page, file, out),
            Err(ImportError::Io { source, .. }) => {
                let _ = out.failed(format!("the page could not be read: {source}"), export.place(file, 0));
            }
            Err(other) => return Err(other),
        }
        if out.stopped() {
            return Ok(());
        }
    }
    reading.threads.end(out);
    Ok(())
}

struct Reading<'a> {
    export: &'a Export,
    options: &'a Options,
    /// By name.
    numbers: HashMap<String, String>,
    told: BTreeSet<String>,
    threads: Threads,
}

/// Somebody as a page writes them: a link to a number around a name.
#[derive(Clone, Debug, PartialEq)]
struct Person {
    number: String,
    name: String,
    me: bool,
}

impl Person {
    fn of(card: ElementRef) -> Self {
        let link = first(card, "a.tel").unwrap_or(card);
        let number = link.attr("href").and_then(|h| h.strip_prefix("tel:")).unwrap_or_default();
        let name = first(link, ".fn").map(words).unwrap_or_default();
        // The owner's name stands in another element than everybody else's.
        let me = first(link, "abbr.fn").is_some();
        Self { number: number.trim().to_owned(), name, me }
    }

    fn shown(&self) -> &str {
        if self.name.is_empty() { &self.number } else { &self.name }
    }

    fn sender(&self) -> Sender {
        if self.me {
            return Sender { key: "me".to_owned(), name: "Me".to_owned(), me: true };
        }
        let key = [&self.number, &self.name].into_iter().find(|k| !k.is_empty()).cloned();
        let key = key.unwrap_or_else(|| "unknown".to_owned());
        Sender {
            name: if self.shown().is_empty() { "Unknown number".to_owned() } else { self.shown().to_owned() },
            key,
            me: false,
        }
    }
}

fn selector(css: &str) -> Option<Selector> {
    Selector::parse(css).ok()
}

fn all<'a>(element: ElementRef<'a>, css: &str) -> Vec<ElementRef<'a>> {
    selector(css).map(|s| element.select(&s).collect()).unwrap_or_default()
}

fn first<'a>(element: ElementRef<'a>, css: &str) -> Option<ElementRef<'a>> {
    all(element, css).into_iter().next()
}

fn words(element: ElementRef) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Reading<'_> {
    fn page(&self, file: usize) -> Result<Html, ImportError> {
        let mut bytes = Vec::new();
        let read = self.export.open(file)?.take(self.options.limits.record as u64).read_to_end(&mut bytes);
        read.map_err(|e| self.export.trouble(file, e))?;
        Ok(html::page(&decode(&bytes).0))
    }

    /// Keeps numbers by name, and hands out everybody once.
    fn learn(&mut self, page: &Html, out: &mut Out) {
        for card in all(page.root_element(), "cite.sender, div.contributor") {
            let person = Person::of(card);
            if person.number.is_empty() {
                continue;
            }
            if !person.me && !person.name.is_empty() {
                self.numbers.entry(person.name.clone()).or_insert_with(|| person.number.clone());
            }
            if self.told.insert(format!("{} {}", person.number, person.shown())) {
                let sender = person.sender();
                let flow = out.contact(Contact {
                    source: FORMAT.key.to_owned(),
                    key: sender.key,
                    name: sender.name,
                    numbers: vec![person.number],
                    me: person.me,
                    ..Contact::default()
                });
                if flow.is_break() {
                    return;
                }
            }
        }
    }

    fn put(&mut self, page: &Html, file: usize, out: &mut Out) {
        let root = page.root_element();
        let messages = all(root, ".hChatLog > .message");
        let group: Vec<Person> = all(root, ".participants cite.sender").into_iter().map(Person::of).collect();
        let _ = match first(root, ".haudio") {
            Some(call) => self.call(call, file, out),
            None if messages.is_empty() => out.skipped("page without messages", self.export.place(file, 1)),
            None => self.messages(root, &messages, group, file, out),
        };
    }

    fn messages(
        &mut self,
        root: ElementRef,
        messages: &[ElementRef],
        group: Vec<Person>,
        file: usize,
        out: &mut Out,
    ) -> crate::Flow {
        let is_group = !group.is_empty();
        let mut others = group;
        for person in messages.iter().filter_map(|m| first(*m, "cite.sender")).map(Person::of) {
            if !person.me && !others.iter().any(|o| o.number == person.number) {
                others.push(person);
            }
        }
        if others.is_empty() {
            others.push(self.addressed(root, file));
        }
        let mut keys: Vec<String> = others.iter().map(|o| o.sender().key).collect();
        keys.sort_unstable();
        keys.dedup();
        let thread = Thread::new(FORMAT.key, Kind::Chat, keys.join("~"));
        let kind = if is_group || keys.len() > 1 { ConversationKind::Group } else { ConversationKind::Direct };
        let title = others.iter().map(|o| o.sender().name).collect::<Vec<_>>().join(", ");
        let mut ids = ContentIds::default();
        for (i, message) in messages.iter().enumerate() {
            let place = self.export.place(file, i as u64 + 1);
            let sender = first(*message, "cite.sender").map(Person::of);
            let attachments = self.attachments(*message, file);
            let said = first(*message, "q").map(html::element).unwrap_or_default();
            let placeholder = matches!(said.as_str(), "MMS Received" | "MMS Sent");
            let said = if placeholder && !attachments.is_empty() { String::new() } else { said };
            if said.is_empty() && attachments.is_empty() {
                out.skipped("message without text", place)?;
                continue;
            }
            let sender = sender.map_or_else(|| others.first().map(Person::sender), |p| Some(p.sender()));
            let Some(sender) = sender else { continue };
            let written = first(*message, "abbr.dt").and_then(|dt| dt.attr("title")).unwrap_or_default();
            let one = One { written, sender, said, attachments, part: Part::Text };
            self.one(&thread, kind, &title, &others, one, &mut ids, place, out)?;
        }
        crate::Flow::Continue(())
    }

    /// Whom a page is to on which only the owner writes: by its title or the name of its file.
    fn addressed(&self, root: ElementRef, file: usize) -> Person {
        let title = first(root, "title").map(words).unwrap_or_default();
        let titled = title.strip_prefix("Me to").map(str::trim).unwrap_or_default().to_owned();
        let path = self.export.files().get(file).map_or("", |e| e.file_name());
        let named = path.split(" - ").next().unwrap_or_default().trim();
        let name = if titled.is_empty() { named.to_owned() } else { titled };
        let is_number = !named.is_empty() && named.chars().all(|c| c == '+' || c.is_ascii_digit());
        let number = self.numbers.get(&name).cloned().or_else(|| is_number.then(|| named.to_owned()));
        let name = if is_number && name == named { String::new() } else { name };
        Person { number: number.unwrap_or_default(), name, me: false }
    }

    fn call(&mut self, call: ElementRef, file: usize, out: &mut Out) -> crate::Flow {
        let place = self.export.place(file, 1);
        let mut other = first(call, ".contributor")
            .map_or(Person { number: String::new(), name: String::new(), me: false }, Person::of);
        if other.number.is_empty() {
            other.number = self.numbers.get(&other.name).cloned().unwrap_or_default();
        }
        let labels: Vec<&str> =
            all(call, ".tags a").iter().filter_map(|a| a.attr("href")?.rsplit('#').next()).collect();
        let is = |label: &str| labels.contains(&label);
        let transcript = first(call, ".full-text").map(words).filter(|t| *t != "Unable to transcribe this message.");
        let who = other.sender();
        let name = who.name.clone();
        let me = Sender { key: "me".to_owned(), name: "Me".to_owned(), me: true };
        let (sender, what) = match () {
            () if is("placed") => (me, format!("Call to {name}")),
            () if is("missed") => (who, format!("Missed call from {name}")),
            () if is("voicemail") => (who, format!("Voicemail from {name}")),
            () if is("recorded") => (who, format!("Recorded call with {name}")),
            () => (who, format!("Call from {name}")),
        };
        let lasted = first(call, "abbr.duration").and_then(|d| d.attr("title")).and_then(time::iso_duration);
        let lasted = lasted.filter(|s| *s > 0).map(|s| format!(", {}", time::lasted(s))).unwrap_or_default();
        let (part, said) = match transcript.filter(|t| !t.is_empty()) {
            Some(transcript) => (Part::Text, format!("{what}{lasted}:\n{transcript}")),
            None => (Part::Call, format!("{what}{lasted}")),
        };
        let written = first(call, "abbr.published").and_then(|p| p.attr("title")).unwrap_or_default();
        let attachments = self.attachments(call, file);
        let thread = Thread::new(FORMAT.key, Kind::Chat, other.sender().key);
        let one = One { written, sender, said, attachments, part };
        let (title, others) = (other.sender().name, [other]);
        self.one(&thread, ConversationKind::Direct, &title, &others, one, &mut ContentIds::default(), place, out)
    }

    #[allow(clippy::too_many_arguments)]
    fn one(
        &mut self,
        thread: &Thread,
        kind: ConversationKind,
        title: &str,
        others: &[Person],
        one: One,
        ids: &mut ContentIds,
        place: Place,
        out: &mut Out,
    ) -> crate::Flow {
        let known = self.threads.of(thread, || (kind, title.to_owned()));
        for other in others {
            known.meet(&other.sender().name);
        }
        let mut parts = vec![one.written, one.sender.key.as_str(), one.said.as_str()];
        parts.extend(one.attachments.iter().map(|a| a.name.as_str()));
        let id = ids.next(thread, &parts);
        let time = time::iso(one.written);
        let message = Message {
            part: one.part,
            text: one.said,
            time: time.or(known.last).unwrap_or(self.options.now),
            time_original: one.written.to_owned(),
            zone_known: time.is_some(),
            attachments: one.attachments,
            ..thread.message(id, one.sender, place)
        };
        known.put(message, out)
    }

    /// Pictures, films, recordings and cards. Pages name them without their ending.
    fn attachments(&self, element: ElementRef, file: usize) -> Vec<Attachment> {
        let page = self.export.files().get(file).map_or("", |e| e.path.as_str());
        let folder = page.rfind('/').and_then(|end| page.get(..=end)).unwrap_or_default();
        let found = all(element, "img, audio, video, a.video, a.audio, a.vcard");
        let named = found.iter().filter(|e| !e.attr("class").is_some_and(|c| c.contains("tel")));
        let mut names: Vec<(&str, &str)> = named
            .filter_map(|e| Some((e.attr("src").or_else(|| e.attr("href"))?, e.value().name())))
            .filter(|(name, _)| !name.is_empty() && !name.starts_with("tel:"))
            .collect();
        names.dedup_by_key(|(name, _)| *name);
        names
            .into_iter()
            .map(|(name, kind)| {
                let in_folder = self.export.files().iter().find(|e| {
                    let rest = e.path.strip_prefix(folder).and_then(|n| n.strip_prefix(name));
                    rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('.') && !rest.ends_with(".html")))
                });
                let path = in_folder.map(|e| e.path.clone());
                let shown = in_folder.map_or(name, |e| e.file_name());
                let plain = (kind == "img").then(|| "image/jpeg".to_owned());
                Attachment {
                    name: shown.to_owned(),
                    mime: mime::of_name(shown).or(plain),
                    missing: path.is_none().then(|| "not in this export".to_owned()),
                    path,
                }
            })
            .collect()
    }
}

/// A message or call to be handed out.
struct One<'a> {
    written: &'a str,
    sender: Sender,
    said: String,
    attachments: Vec<Attachment>,
    part: Part,
}
