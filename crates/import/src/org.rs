//! Org-mode files, org-roam and its dailies (formats.md §23): a file is a conversation, each heading with
//! the text below it a message.
//!
//! How Org writes text is left to `markup.rs`, what stands around a heading to `heading.rs`.

mod heading;
mod markup;

use crate::{
    Format, ImportError, Options,
    export::{Export, nfc},
    note::{
        self, Stamp,
        day::{self, Named},
        links::Files,
    },
    out::Out,
    record::{ContentIds, Thread},
};
use evoke_message::{Conversation, ConversationKind, Kind, Message, MessageId, Place};
use heading::{Heading, Section};

const SOURCE: &str = "org";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Org-mode",
    kind: Kind::Note,
    how_to_export: "Nothing to export: choose the folder in which the .org files are, or one of them. For org-roam that is org-roam-directory.",
    detect,
    read,
};

fn detect(export: &Export) -> Option<Vec<usize>> {
    let named = |path: &str| matches!(note::ending(path).as_str(), "org" | "org_archive");
    let files: Vec<usize> = export.files().iter().enumerate().filter(|(_, f)| named(&f.path)).map(|(i, _)| i).collect();
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let links = Files::of(export);
    for &i in files {
        let whole = note::whole(export, i, options)?;
        let place = export.place(i, 1);
        let (text, lost) = whole.text();
        if whole.too_long {
            let _ = out.failed("longer than any file of notes", place);
        } else if text.contains('\0') {
            let _ = out.failed("not text, though it is called an Org file", place);
        } else {
            File::new(export, i, &text, options).put(&links, out);
        }
        out.file_ended(i, lost, whole.trouble)?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

struct File<'a> {
    export: &'a Export,
    i: usize,
    path: &'a str,
    options: &'a Options,
    sections: Vec<Section<'a>>,
    thread: Thread,
    /// The file's own; none where only the disk knows one.
    when: Option<Stamp>,
    title: String,
}

impl<'a> File<'a> {
    fn new(export: &'a Export, i: usize, text: &'a str, options: &'a Options) -> Self {
        let file = export.files().get(i);
        let path = file.map_or("", |file| file.path.as_str());
        let sections = heading::sections(text);
        let top = sections.first();
        let keyword = |name: &str| top.and_then(|s| s.keyword(name)).unwrap_or_default();
        let own = top.and_then(|s| s.property("ID")).map(str::to_owned);
        let named = day::named(path, &options.zone);
        let daily = matches!(named, Some(Named::Daily(_)));
        let named = named.map(|(Named::Daily(when) | Named::Dated(when))| Stamp::from(when));
        let dated = heading::stamp(keyword("date"), &options.zone);
        let created = top.and_then(|s| s.created(&options.zone));
        let when = named.clone().filter(|_| daily).or(created).or(dated).or(named);
        let title = Some(keyword("title")).filter(|t| !t.is_empty()).unwrap_or(note::stem(path)).to_owned();
        Self {
            export,
            i,
            path,
            options,
            thread: Thread::new(SOURCE, Kind::Note, own.unwrap_or_else(|| key(export, path))),
            when,
            sections,
            title,
        }
    }

    fn put(&self, links: &Files<'_>, out: &mut Out) {
        if !self.sections.iter().any(|section| section.says_something()) {
            let _ = out.skipped("empty note", self.place(1));
            return;
        }
        let times = self.times();
        let _ = out.conversation(Conversation {
            participants: vec![note::me().name],
            created: times.iter().map(|stamp| stamp.time).min(),
            updated: self.export.files().get(self.i).and_then(|file| file.modified),
            ..self.thread.conversation(ConversationKind::Note, self.title.clone())
        });
        let mut ids = ContentIds::default();
        let mut above: Vec<(usize, &str)> = Vec::new();
        let tags = self.sections.first().and_then(|s| s.keyword("filetags")).unwrap_or_default();
        for (order, (section, when)) in self.sections.iter().zip(times).enumerate() {
            if out.stopped() {
                return;
            }
            if let Some(heading) = &section.heading {
                above.retain(|(outer, _)| *outer < heading.level);
                above.push((heading.level, &heading.title));
            } else if !section.says_something() {
                continue;
            }
            let id = self.id(section, &above, &mut ids);
            let text = section.markdown(if section.heading.is_none() { tags } else { "" });
            let message = Message {
                attachments: links.named_in(&text, self.path, note::folder(self.path)),
                text,
                time: when.time,
                time_original: when.original,
                zone_known: when.zone_known,
                order: order as u64,
                ..self.thread.message(id, note::me(), self.place(section.line))
            };
            let _ = out.message(message);
        }
    }

    /// Of every section: its own, or that of the heading above it, or of the file, or of its neighbours.
    fn times(&self) -> Vec<Stamp> {
        let mut above: Vec<(usize, Option<Stamp>)> = Vec::new();
        let mut known = Vec::new();
        for section in &self.sections {
            let level = section.heading.as_ref().map_or(0, |h| h.level);
            above.retain(|(outer, _)| *outer < level);
            let inherited = above.last().and_then(|(_, when)| when.clone());
            let own = if level == 0 { None } else { section.created(&self.options.zone) };
            let when = own.or(inherited).or_else(|| self.when.clone());
            above.push((level, when.clone()));
            known.push(when);
        }
        let file = Stamp::of_file(self.export.files().get(self.i), self.options);
        let mut last = known.iter().flatten().next().cloned().unwrap_or(file);
        let fill = |when: Option<Stamp>| {
            last = when.unwrap_or_else(|| last.clone());
            last.clone()
        };
        known.into_iter().map(fill).collect()
    }

    /// Its own id; else by the headings above and its own, without what changes when work is done.
    fn id(&self, section: &Section<'_>, above: &[(usize, &str)], ids: &mut ContentIds) -> MessageId {
        match section.property("ID").filter(|_| section.heading.is_some()) {
            Some(id) => MessageId::of(&[SOURCE, id]),
            None => {
                let titles: Vec<&str> = above.iter().map(|(_, title)| *title).collect();
                ids.next(&self.thread, &titles)
            }
        }
    }

    fn place(&self, line: usize) -> Place {
        self.export.place(self.i, line as u64)
    }
}

/// Holds wherever the folder lies: its name and the path inside it. One file is its name.
fn key(export: &Export, path: &str) -> String {
    if path == export.name() && export.files().len() == 1 {
        return nfc(path);
    }
    let name = export.name().trim_end_matches(".zip");
    let inside = path.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path);
    nfc(&format!("{name}/{inside}"))
}

impl Heading {
    fn line(&self) -> String {
        let marks: Vec<&str> =
            [self.keyword.as_str(), self.title.as_str()].into_iter().filter(|m| !m.is_empty()).collect();
        let said = format!("{} {}", "#".repeat(self.level.min(6)), markup::inline(&marks.join(" ")));
        let tags = note::tags(self.tags.iter().map(String::as_str));
        format!("{said} {tags}").trim_end().to_owned()
    }
}

impl Section<'_> {
    fn says_something(&self) -> bool {
        self.heading.is_some() || !self.body().trim().is_empty()
    }

    fn body(&self) -> String {
        markup::markdown(&self.lines)
    }

    fn markdown(&self, tags: &str) -> String {
        let heading = self.heading.as_ref().map(Heading::line).unwrap_or_default();
        let tags = note::tags(tags.split([':', ' ']));
        note::parts([heading.as_str(), &tags, &self.body()])
    }
}
