//! Microsoft Copilot's activity history (formats.md §6): one CSV, newest first, conversations known by
//! their titles alone, times without a zone.

use crate::{
    Format, ImportError, Options, ai,
    export::Export,
    mime,
    out::Out,
    record::{ContentIds, Thread},
    text, time,
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

fn columns(header: &csv::ByteRecord) -> Option<[usize; 4]> {
    let names: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim_matches(['\u{feff}', ' ', '"']).to_ascii_lowercase())
        .collect();
    let at = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
    let [conversation, time, author, message] = COLUMNS.map(at);
    Some([conversation?, time?, author?, message?])
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let fits = |i: &usize| {
        let head = export.head(*i).unwrap_or_default();
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(head.as_slice());
        reader.byte_headers().is_ok_and(|header| columns(header).is_some())
    };
    let csv = |name: &str| mime::of_name(name).is_some_and(|m| m == "text/csv");
    let named = export.unclaimed().filter(|(_, f)| csv(f.file_name())).map(|(i, _)| i);
    let files: Vec<usize> = named.filter(fits).collect();
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut threads: HashMap<String, (Thread, ContentIds)> = HashMap::new();
    for &file in files {
        let input = text::whole_utf8(export.open(file)?).map_err(|e| export.trouble(file, e))?;
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let Some(columns) = reader.byte_headers().ok().and_then(columns) else { continue };
        let (mut record, mut number, mut last) = (csv::ByteRecord::new(), 0, None);
        let trouble = loop {
            number += 1;
            match reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break None,
                Err(error) => match error.into_kind() {
                    csv::ErrorKind::Io(error) => break Some(error),
                    other => {
                        let _ = out.failed(format!("the row cannot be read ({other:?})"), export.place(file, number));
                        continue;
                    }
                },
            }
            let field = columns.map(|at| record.get(at).map(|f| String::from_utf8_lossy(f).into_owned()));
            let place = export.place(file, number);
            let [Some(title), Some(written), Some(author), Some(said)] = field else {
                let _ = out.failed("the row has too few columns", place);
                continue;
            };
            if said.trim().is_empty() {
                let _ = out.skipped("empty message", place);
                continue;
            }
            let (thread, ids) = threads.entry(title.clone()).or_insert_with(|| {
                let thread = Thread::new(FORMAT.key, FORMAT.kind, title.trim());
                let conversation = Conversation {
                    participants: vec!["Me".to_owned(), "Copilot".to_owned()],
                    ..thread.conversation(ConversationKind::Ai, ai::first_words(&title))
                };
                let _ = out.conversation(conversation);
                (thread, ContentIds::default())
            });
            let mine = matches!(author.trim().to_ascii_lowercase().as_str(), "human" | "user" | "me");
            let at = moment(written.trim(), options);
            last = at.map(|(ms, _)| ms).or(last);
            let id = ids.next(thread, &[&written, &author, &said]);
            let sender = if mine { ai::me() } else { ai::other("assistant", "Copilot") };
            let flow = out.message(Message {
                role: if mine { Role::Human } else { Role::Assistant },
                part: Part::Text,
                time: last.unwrap_or(options.now),
                time_original: written,
                zone_known: at.is_some_and(|(_, zoned)| zoned),
                text: said.trim().to_owned(),
                // The newest row comes first, and an answer before its question.
                order: u64::from(u32::MAX) - number,
                ..thread.message(id, sender, place)
            });
            if flow.is_break() {
                return Ok(());
            }
        };
        out.file_ended(file, 0, trouble)?;
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
