//! JSON files of the shape that most chat exports have: lists of records, alone or in holders (chats), with
//! fields beside them. Read one record at a time, each list after the fields of its holder, wherever those
//! stand in the file. What records and fields mean is left to the formats.

use crate::{
    Flow, ImportError, Options,
    export::Export,
    json::{self, Found, Opening, Piece, Rules, Walk, Want},
    out::Out,
    text::utf8,
};
use serde_json::{Map, Value};
use std::io::{self, Read};

/// What stands beside the records of a holder.
pub(crate) type Fields = Map<String, Value>;

/// The names in a format's files.
pub(crate) struct Shape {
    /// Lists of records.
    pub(crate) records: &'static [&'static str],
    /// Lists of holders, where there are any.
    pub(crate) holders: &'static [&'static str],
    /// Objects in a holder whose content belongs to the holder.
    pub(crate) inner: &'static [&'static str],
    /// Lists that are neither; any other list is taken for one of records, for its name may be what is damaged.
    pub(crate) others: &'static [&'static str],
    /// What is wanted of a holder besides its records.
    pub(crate) fields: &'static [&'static str],
    /// Of the fields, the one without which the records cannot be read.
    pub(crate) needed: &'static str,
    /// A list at the top of the file is one of records, not of holders.
    pub(crate) bare: bool,
    pub(crate) is_record: fn(&[&str]) -> bool,
    pub(crate) is_holder: fn(&[&str]) -> bool,
}

/// What is found, in order.
pub(crate) enum Record {
    /// A list of records begins; these are the fields of its holder.
    Begins(Fields),
    One(Value),
    /// The list ended after this many records.
    Ends(u64),
}

/// Kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum It {
    Root,
    Holders,
    Holder,
    Inner,
    Field,
    Records,
    Record,
}

/// A JSON file.
pub(crate) struct Source<'a> {
    pub(crate) export: &'a Export,
    pub(crate) file: usize,
}

/// Hands what is found to `take` with its record number, until `take` or the sink stops. Records that cannot
/// be read are reported.
pub(crate) fn each(
    source: &Source,
    shape: &Shape,
    options: &Options,
    out: &mut Out,
    mut take: impl FnMut(Record, u64, &mut Out) -> Flow,
) -> Result<(), ImportError> {
    let mut reading = Reading {
        source,
        shape,
        options,
        beside: Beside::default(),
        ahead: None,
        lists: 0,
        records: 0,
        begun: 0,
        lost: 0,
    };
    let trouble = walk(source, shape, options, true, |found| {
        let flow = reading.found(found, out, &mut take)?;
        Ok(flow.is_continue() && !out.stopped())
    })?;
    if out.stopped() {
        return Ok(());
    }
    out.file_ended(source.file, reading.lost, trouble)
}

/// Whether the head of a file is of this shape, looked for without its beginning.
pub(crate) fn fits(head: &[u8], shape: &Shape) -> bool {
    json::hunt(head, |keys| (shape.is_record)(keys) || (shape.is_holder)(keys))
}

/// All values of a list in a small file, such as one of members; those that are broken left out.
pub(crate) fn values(export: &Export, file: usize, options: &Options) -> Vec<Value> {
    let mut bytes = Vec::new();
    let read = export.open(file).map(|input| input.take(options.limits.record as u64).read_to_end(&mut bytes));
    match read.ok().and_then(|_| json::parse::<Value>(&bytes).ok()) {
        Some((Value::Array(values), _)) => values,
        Some((Value::Object(mut object), _)) => match object.remove("value") {
            Some(Value::Array(values)) => values,
            Some(other) => {
                object.insert("value".to_owned(), other);
                vec![Value::Object(object)]
            }
            None => vec![Value::Object(object)],
        },
        _ => Vec::new(),
    }
}

fn walk(
    source: &Source,
    shape: &Shape,
    options: &Options,
    records: bool,
    mut each: impl FnMut(Found<It>) -> Result<bool, ImportError>,
) -> Result<Option<io::Error>, ImportError> {
    let input = utf8(source.export.open(source.file)?).map_err(|e| source.export.trouble(source.file, e))?;
    let want = |inside, key: &str, opening| want(shape, inside, key, opening, records);
    let looks = |keys: &[&str]| match keys {
        keys if (shape.is_holder)(keys) => Some(It::Holders),
        keys if (shape.is_record)(keys) => Some(It::Records),
        _ => None,
    };
    let mut walk = Walk::new(input, options.limits.record, Rules { want: &want, looks: &looks });
    for found in walk.by_ref() {
        if !each(found)? {
            return Ok(None);
        }
    }
    Ok(walk.trouble())
}

fn want(shape: &Shape, inside: Option<It>, key: &str, opening: Opening, records: bool) -> Want<It> {
    let holder = matches!(inside, Some(It::Root | It::Holder | It::Inner));
    match (inside, opening) {
        (None, Opening::Object) => Want::Enter(It::Root),
        (None, Opening::Array) => Want::Enter(if shape.bare { It::Records } else { It::Holders }),
        (Some(It::Holders), Opening::Object) => Want::Enter(It::Holder),
        (Some(It::Records), _) if records => Want::Whole(It::Record),
        _ if !holder || shape.others.contains(&key) => Want::Skip,
        _ if shape.fields.contains(&key) => Want::Whole(It::Field),
        (_, Opening::Object) if shape.inner.contains(&key) => Want::Enter(It::Inner),
        (_, Opening::Array) if shape.records.contains(&key) => Want::Enter(It::Records),
        (Some(It::Root), Opening::Array) if !shape.holders.is_empty() => Want::Enter(It::Holders),
        (Some(It::Root | It::Holder), Opening::Array) => Want::Enter(It::Records),
        _ => Want::Skip,
    }
}

/// How far a file has been read.
struct Reading<'a> {
    source: &'a Source<'a>,
    shape: &'a Shape,
    options: &'a Options,
    beside: Beside,
    /// Of every list in the file, where the needed one stands behind its records.
    ahead: Option<Vec<Fields>>,
    /// Lists begun so far.
    lists: usize,
    /// Records seen so far: their places are their numbers.
    records: u64,
    /// `records` where the list under way began.
    begun: u64,
    lost: u64,
}

impl Reading<'_> {
    fn found(
        &mut self,
        found: Found<It>,
        out: &mut Out,
        take: &mut impl FnMut(Record, u64, &mut Out) -> Flow,
    ) -> Result<Flow, ImportError> {
        Ok(match found {
            Found::Opened(It::Holder) => {
                self.beside.opened();
                Flow::Continue(())
            }
            Found::Closed(It::Holder) => {
                self.beside.closed();
                Flow::Continue(())
            }
            Found::Value(It::Field, piece) => {
                self.lost += self.beside.field(piece);
                Flow::Continue(())
            }
            Found::Opened(It::Records) => {
                self.begun = self.records;
                let fields = self.fields()?;
                take(Record::Begins(fields), self.records, out)
            }
            Found::Closed(It::Records) => take(Record::Ends(self.records - self.begun), self.records, out),
            Found::Value(It::Record, piece) => self.record(&piece, out, take),
            Found::Broken { what: Some(It::Record), reason, .. } => out.failed(reason, self.next()),
            Found::Broken { reason, piece, .. } => out.failed(
                format!("the file is damaged here ({reason}); {} bytes were passed over", piece.bytes.len()),
                self.next(),
            ),
            Found::TooLong { what: It::Record, bytes } => {
                out.failed(format!("a record of {} MB is longer than Evoke reads", bytes >> 20), self.next())
            }
            Found::Opened(_) | Found::Closed(_) | Found::Value(..) | Found::TooLong { .. } => Flow::Continue(()),
        })
    }

    fn next(&mut self) -> evoke_message::Place {
        self.records += 1;
        self.source.export.place(self.source.file, self.records)
    }

    fn record(&mut self, piece: &Piece, out: &mut Out, take: &mut impl FnMut(Record, u64, &mut Out) -> Flow) -> Flow {
        let place = self.next();
        match json::parse::<Value>(&piece.bytes) {
            Ok((value, lost)) => {
                self.lost += lost;
                take(Record::One(value), self.records, out)
            }
            Err(e) => out.failed(format!("its JSON cannot be read ({e})"), place),
        }
    }

    /// The fields of the list that begins. Where the needed one comes later, they are read ahead.
    fn fields(&mut self) -> Result<Fields, ImportError> {
        let fields = self.beside.all();
        let known = self.shape.needed.is_empty() || fields.contains_key(self.shape.needed);
        if !known && self.ahead.is_none() {
            self.ahead = Some(ahead(self.source, self.shape, self.options)?);
        }
        let ahead = self.ahead.as_ref().and_then(|all| all.get(self.lists)).filter(|_| !known);
        self.lists += 1;
        Ok(ahead.cloned().unwrap_or(fields))
    }
}

/// The fields of the file and of the holder under way.
#[derive(Default)]
struct Beside {
    file: Fields,
    holder: Fields,
    in_holder: bool,
}

impl Beside {
    fn opened(&mut self) {
        self.holder.clear();
        self.in_holder = true;
    }

    fn closed(&mut self) {
        self.holder.clear();
        self.in_holder = false;
    }

    /// Keeps a field; says how many of its characters were lost.
    fn field(&mut self, piece: Piece) -> u64 {
        let Ok((value, lost)) = json::parse::<Value>(&piece.bytes) else { return 0 };
        if self.in_holder { &mut self.holder } else { &mut self.file }.insert(piece.key, value);
        lost
    }

    fn all(&self) -> Fields {
        let mut all = self.file.clone();
        all.extend(self.holder.clone());
        all
    }
}

/// The fields beside every list, in order, records passed over.
fn ahead(source: &Source, shape: &Shape, options: &Options) -> Result<Vec<Fields>, ImportError> {
    let (mut all, mut beside, mut lists) = (Vec::new(), Beside::default(), 0);
    walk(source, shape, options, false, |found| {
        match found {
            Found::Value(It::Field, piece) => {
                beside.field(piece);
            }
            Found::Opened(It::Records) => lists += 1,
            Found::Opened(It::Holder) => beside.opened(),
            Found::Closed(it @ (It::Root | It::Holder)) => {
                all.extend(std::iter::repeat_n(beside.all(), std::mem::take(&mut lists)));
                if it == It::Holder {
                    beside.closed();
                }
            }
            _ => {}
        }
        Ok(true)
    })?;
    all.extend(std::iter::repeat_n(beside.all(), lists));
    Ok(all)
}
