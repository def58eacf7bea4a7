//! JSON files that are one list of records, with a few fields beside it: how Slack, Discord,
//! Meta and Signal Desktop write their chats. One record is held at a time; a field is told where it stands in the file. Lists in holders are
//! left to `records.rs`, what records mean to the formats.

use crate::{
    ImportError, Options,
    export::Export,
    json::{self, Found, Opening, Piece, Rules, Walk, Want},
    out::Out,
    text::utf8,
};
use evoke_message::Place;
use serde_json::Value;
use std::{collections::HashMap, io};

/// The names that matter in such a file.
pub(crate) struct Shape {
    /// Fields beside the list that are read.
    pub(crate) fields: &'static [&'static str],
    /// Other lists beside it that hold no records.
    pub(crate) others: &'static [&'static str],
    /// Whether an object with these keys is a record.
    pub(crate) is_record: fn(&[&str]) -> bool,
}

pub(crate) type Fields = HashMap<String, Value>;

/// What is found in the file, in its order.
pub(crate) enum Got {
    Field(String, Value),
    /// A record, or why it could not be read.
    Record(Result<Value, String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum It {
    Root,
    List,
    Field,
    Record,
}

/// Hands out the records of a file with their places, and the fields as they come; ends with the file's
/// damage reported.
pub(crate) fn each(
    export: &Export,
    file: usize,
    options: &Options,
    shape: &Shape,
    out: &mut Out,
    mut each: impl FnMut(Got, Place, &mut Out) -> crate::Flow,
) -> Result<(), ImportError> {
    let mut at = 0;
    let (lost, trouble) = walk(export, file, options, shape, true, |got| {
        at += u64::from(matches!(got, Got::Record(_)));
        each(got, export.place(file, at), out).is_continue()
    })?;
    if out.stopped() {
        return Ok(());
    }
    out.file_ended(file, lost, trouble)
}

/// The fields beside the list, records passed over; stops where all of `wanted` are known.
pub(crate) fn fields(
    export: &Export,
    file: usize,
    options: &Options,
    shape: &Shape,
    wanted: &[&str],
) -> Result<Fields, ImportError> {
    let mut fields = Fields::new();
    walk(export, file, options, shape, false, |got| {
        if let Got::Field(name, value) = got {
            fields.insert(name, value);
        }
        !wanted.iter().all(|name| fields.contains_key(*name))
    })?;
    Ok(fields)
}

/// Hands everything to `each` until it says `false`; then how many characters were lost, and why the file
/// ended early, where it did.
pub(crate) fn walk(
    export: &Export,
    file: usize,
    options: &Options,
    shape: &Shape,
    records: bool,
    mut each: impl FnMut(Got) -> bool,
) -> Result<(u64, Option<io::Error>), ImportError> {
    let input = utf8(export.open(file)?).map_err(|e| export.trouble(file, e))?;
    let want = |inside: Option<It>, key: &str, opening| match (inside, key, opening) {
        (None, _, Opening::Object) => Want::Enter(It::Root),
        (None, _, Opening::Array) => Want::Enter(It::List),
        (Some(It::Root), key, _) if shape.fields.contains(&key) => Want::Whole(It::Field),
        (Some(It::Root), key, _) if shape.others.contains(&key) => Want::Skip,
        // Whatever its name, for that may be what is damaged.
        (Some(It::Root), _, Opening::Array) => Want::Enter(It::List),
        (Some(It::List), ..) if records => Want::Whole(It::Record),
        _ => Want::Skip,
    };
    let looks = |keys: &[&str]| (shape.is_record)(keys).then_some(It::List);
    let mut walk = Walk::new(input, options.limits.record, Rules { want: &want, looks: &looks });
    let mut lost = 0;
    for found in walk.by_ref() {
        let go_on = match found {
            Found::Value(It::Field, Piece { key, bytes, .. }) => match json::parse(&bytes) {
                Ok((value, replaced)) => {
                    lost += replaced;
                    each(Got::Field(key, value))
                }
                Err(_) => true,
            },
            Found::Value(_, Piece { bytes, .. }) => match json::parse(&bytes) {
                Ok((value, replaced)) => {
                    lost += replaced;
                    each(Got::Record(Ok(value)))
                }
                Err(e) => each(Got::Record(Err(format!("its JSON cannot be read ({e})")))),
            },
            Found::Broken { what: Some(It::Record), reason, .. } => each(Got::Record(Err(reason.to_owned()))),
            Found::Broken { piece, reason, .. } => {
                let bytes = piece.bytes.len();
                each(Got::Record(Err(format!("the file is damaged here ({reason}); {bytes} bytes were passed over"))))
            }
            Found::TooLong { bytes, .. } => {
                each(Got::Record(Err(format!("a record of {} MB is longer than Evoke reads", bytes >> 20))))
            }
            _ => true,
        };
        if !go_on {
            return Ok((lost, None));
        }
    }
    Ok((lost, walk.trouble()))
}

/// All values of a small list in a file of its own, such as members; none where it cannot be read.
pub(crate) fn list(export: &Export, file: usize, options: &Options) -> Vec<Value> {
    let shape = Shape { fields: &[], others: &[], is_record: |keys| keys.contains(&"id") };
    let mut all = Vec::new();
    let read = walk(export, file, options, &shape, true, |got| {
        if let Got::Record(Ok(value)) = got {
            all.push(value);
        }
        all.len() < 1_000_000
    });
    read.map_or_else(|_| Vec::new(), |_| all)
}

/// A small file that is one value; none where it is none or longer than 16 MB.
pub(crate) fn small(export: &Export, file: usize) -> Option<Value> {
    let mut bytes = Vec::new();
    let input = utf8(export.open(file).ok()?).ok()?;
    io::Read::read_to_end(&mut io::Read::take(input, 16 << 20), &mut bytes).ok()?;
    json::parse(&bytes).ok().map(|(value, _)| value)
}
