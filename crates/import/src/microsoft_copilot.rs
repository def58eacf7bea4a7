//! Microsoft Copilot's activity history (formats.md §6): one CSV, newest first, conversations known by
//! their titles alone, times without a zone.

use crate::{
    Format, ImportError, Options, ai,
    export::Export,
    out::Out,
    record::{ContentIds, Thread},
    table, time,
};
use evoke_message::{Conversation, ConversationKind, Kind, Message, Part, Role};
use std::collections::HashMap;

pub(crate) const FORMAT: Format = Format {
    key: "microsoft_copilot",
    label: "Microsoft Copilot",
    kind: Kind::Ai,
    how_to_export: "On account.microsoft.com/privacy: Copilot, Export all activity history. Choose the CSV file that is downloaded.",
    detect,
    read,
};

/// Names of the columns: conversation, time, author, message.
const COLUMNS: [&[&str]; 4] =
    [&["conversation", "chatname"], &["time", "createdat"], &["author"], &["message", "messagecontent"]];

fn is_head(names: &[String]) -> bool {
    COLUMNS.iter().all(|column| column.iter().any(|name| names.iter().any(|n| n == name)))
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let files = table::files(export, is_head);
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut threads: HashMap<String, (Thread, ContentIds)> = HashMap::new();
    for &file in files {
        let mut last = export.files().get(file).and_then(|f| f.modified);
        let mut number = 0;
        table::each(export, file, options, out, is_head, |row, out| {
            number += 1;
            let [title, written, author, said] = COLUMNS.map(|names| row.any(names));
            let place = export.place(file, row.line);
            if said.is_empty() {
                return out.skipped("empty message", place);
            }
            let (thread, ids) = threads.entry(title.to_owned()).or_insert_with(|| {
                let thread = Thread::new(FORMAT.key, FORMAT.kind, title);
                let conversation = Conversation {
                    participants: vec!["Me".to_owned(), "Copilot".to_owned()],
                    ..thread.conversation(ConversationKind::Ai, ai::first_words(title))
                };
                let _ = out.conversation(conversation);
                (thread, ContentIds::default())
            });
            let mine = matches!(author.to_ascii_lowercase().as_str(), "human" | "user" | "me");
            let at = moment(written, options);
            last = at.map(|(ms, _)| ms).or(last);
            let id = ids.next(thread, &[written, author, said]);
            let sender = if mine { ai::me() } else { ai::other("assistant", "Copilot") };
            out.message(Message {
                role: if mine { Role::Human } else { Role::Assistant },
                part: Part::Text,
                time: last.unwrap_or(options.now),
                time_original: written.to_owned(),
                zone_known: at.is_some_and(|(_, zoned)| zoned),
                text: said.to_owned(),
                // The newest row comes first, and an answer before its question.
                order: u64::from(u32::MAX) - number,
                ..thread.message(id, sender, place)
            })
        })?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

/// ISO 8601, or `1/31/2026 10:00:00 +00:00`; whether it has a zone.
fn moment(written: &str, options: &Options) -> Option<(i64, bool)> {
    if written.contains('T') && !written.ends_with('Z') && !written.get(11..).unwrap_or_default().contains(['+', '-']) {
        return time::wall(written, &options.zone).map(|ms| (ms, false));
    }
    if let Some(ms) = time::iso(written) {
        return Some((ms, true));
    }
    let mut words = written.split(' ');
    let mut date = words.next()?.split('/');
    let (month, day, year) = (date.next()?, date.next()?, date.next()?);
    let clock = words.next()?;
    let zone = words.next().unwrap_or_default();
    time::iso(&format!("{year}-{month:0>2}-{day:0>2}T{clock:0>8}{zone}")).map(|ms| (ms, !zone.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_both_files() {
        let options = Options {
            zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(),
            now: 0,
            day_first: None,
            limits: crate::Limits::default(),
        };
        for (written, ms, zoned) in [
            ("2026-07-26T23:20:56", 1_785_100_856_000, false),
            ("1/2/2026 10:00:00 +00:00", 1_767_348_000_000, true),
            ("2026-01-02T10:00:00Z", 1_767_348_000_000, true),
        ] {
            assert_eq!(moment(written, &options), Some((ms, zoned)), "{written}");
        }
    }
}
