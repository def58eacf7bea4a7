//! Apple Notes (formats.md §17): the app's own database, and the folders of an iCloud privacy export.
//!
//! How the text of a note is kept in the database is left to `body.rs`; exports as Markdown or HTML by
//! other apps are read as what they are.

mod body;
mod privacy;

use crate::{
    Flow, Format, ImportError, Options,
    export::{Entry, Export},
    note::{self, Note, Stamp},
    out::Out,
    sqlite,
};
use body::Files;
use evoke_message::{Attachment, Kind};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;

const SOURCE: &str = "apple_notes";
/// 2001-01-01, where Apple's seconds begin.
const EPOCH: f64 = 978_307_200.0;

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Apple Notes",
    kind: Kind::Note,
    how_to_export: "On a Mac: in the Finder press ⇧⌘G, enter ~/Library/Group Containers/group.com.apple.notes, copy that folder \
                    to another place and choose the copy. Or ask for your notes at privacy.apple.com and choose the folder.",
    detect,
    read,
};

fn detect(export: &Export) -> Option<Vec<usize>> {
    let all = || export.files().iter().enumerate();
    let single = export.files().len() == 1;
    let named = all().filter(|(_, f)| single || matches!(note::ending(&f.path).as_str(), "sqlite" | "sqlite3" | "db"));
    // The names of tables may stand behind the head.
    let is = |(i, file): &(usize, &Entry)| {
        let head = export.head(*i).unwrap_or_default();
        let called = file.file_name().starts_with("NoteStore");
        sqlite::is_database(&head) && (called || note::contains(&head, "ZICCLOUDSYNCINGOBJECT"))
    };
    let mut files: Vec<usize> = named.filter(is).map(|(i, _)| i).collect();
    files.extend(privacy::files(export));
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let (databases, texts): (Vec<usize>, Vec<usize>) =
        files.iter().partition(|&&i| export.head(i).is_ok_and(|head| sqlite::is_database(&head)));
    for i in databases {
        let connection = sqlite::open(export, i, options)?;
        if !sqlite::has_tables(&connection, &["ZICCLOUDSYNCINGOBJECT", "ZICNOTEDATA"]) {
            let _ = out.failed("the database has no notes of a known version", export.place(i, 0));
            continue;
        }
        let store = Store::new(&connection, export, i, options);
        if let Err(e) = store.read(out) {
            let _ = out.failed(format!("the rest of the database could not be read: {e}"), export.place(i, 0));
        }
        if out.stopped() {
            return Ok(());
        }
    }
    privacy::read(export, &texts, options, out)
}

struct Store<'a> {
    connection: &'a Connection,
    export: &'a Export,
    i: usize,
    options: &'a Options,
    /// Columns that this version has.
    columns: Vec<String>,
    /// Folders by key: name, and whether it is the trash.
    folders: HashMap<i64, (String, bool)>,
}

impl<'a> Store<'a> {
    fn new(connection: &'a Connection, export: &'a Export, i: usize, options: &'a Options) -> Self {
        let columns = sqlite::columns(connection, "ZICCLOUDSYNCINGOBJECT");
        let mut store = Self { connection, export, i, options, columns, folders: HashMap::new() };
        store.folders = store.folders().unwrap_or_default();
        store
    }

    /// The columns of these names that exist, as one expression; NULL where none does.
    fn any(&self, names: &[&str]) -> String {
        let found: Vec<String> =
            names.iter().filter(|n| self.columns.iter().any(|c| c == *n)).map(|n| format!("o.{n}")).collect();
        match found.as_slice() {
            [] => "NULL".to_owned(),
            [one] => one.clone(),
            more => format!("coalesce({})", more.join(", ")),
        }
    }

    fn folders(&self) -> rusqlite::Result<HashMap<i64, (String, bool)>> {
        let (name, kind, id) = (self.any(&["ZTITLE2"]), self.any(&["ZFOLDERTYPE"]), self.any(&["ZIDENTIFIER"]));
        let sql = format!("SELECT o.Z_PK, {name}, {kind}, {id} FROM ZICCLOUDSYNCINGOBJECT o WHERE {name} IS NOT NULL");
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| {
            let (key, name): (i64, Option<String>) = (row.get(0)?, row.get(1)?);
            let trash = row.get::<_, Option<i64>>(2)? == Some(1)
                || row.get::<_, Option<String>>(3)?.is_some_and(|id| id.starts_with("TrashFolder"));
            Ok((key, (name.unwrap_or_default(), trash)))
        })?;
        rows.collect()
    }

    fn read(&self, out: &mut Out) -> rusqlite::Result<()> {
        let sql = format!(
            "SELECT d.Z_PK, o.Z_PK, {}, {}, {}, {}, {}, {}, {} FROM ZICNOTEDATA d JOIN ZICCLOUDSYNCINGOBJECT o ON o.Z_PK = d.ZNOTE ORDER BY d.Z_PK",
            self.any(&["ZIDENTIFIER"]),
            self.any(&["ZTITLE1", "ZTITLE"]),
            self.any(&["ZFOLDER"]),
            self.any(&["ZCREATIONDATE3", "ZCREATIONDATE1", "ZCREATIONDATE2", "ZCREATIONDATE"]),
            self.any(&["ZMODIFICATIONDATE1", "ZMODIFICATIONDATE"]),
            self.any(&["ZISPASSWORDPROTECTED"]),
            self.any(&["ZMARKEDFORDELETION"]),
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut at = 0;
        while let Some(row) = rows.next()? {
            at += 1;
            if self.note(&About::of(row)?, at, out).is_break() {
                break;
            }
        }
        if at == 0 {
            let _ = out.skipped("database without notes", self.export.place(self.i, 0));
        }
        Ok(())
    }

    fn note(&self, about: &About, at: u64, out: &mut Out) -> Flow {
        let place = self.export.place(self.i, at);
        if about.locked {
            return out.skipped("locked with a password", place);
        }
        if about.deleted || self.folders.get(&about.folder).is_some_and(|(_, trash)| *trash) {
            return out.skipped("in Recently Deleted of Notes", place);
        }
        let data = self.connection.query_row("SELECT ZDATA FROM ZICNOTEDATA WHERE Z_PK = ?1", [about.data], |row| {
            row.get::<_, Option<Vec<u8>>>(0)
        });
        let body = match data {
            Ok(Some(data)) => body::read(&data, self.options.limits.record, &|id, kind| self.file(id, kind)),
            Ok(None) => return out.skipped("a note that is not on this Mac, only in iCloud", place),
            Err(e) => Err(e.to_string()),
        };
        let body = match body {
            Ok(body) => body,
            Err(reason) => return out.failed(format!("the note {:?} cannot be read: {reason}", about.title), place),
        };
        let when = about.created.clone().or_else(|| about.edited.clone());
        let note = Note {
            title: String::new(),
            text: body.text,
            updated: about.edited.as_ref().map(|stamp| stamp.time),
            attachments: body.files,
            ..Note::new(
                SOURCE,
                about.key.clone(),
                when.unwrap_or_else(|| Stamp::of_file(self.export.files().get(self.i), self.options)),
            )
        };
        note.put(place, out)
    }

    /// What an attachment in a note is: words in its place, or a file.
    fn file(&self, id: &str, kind: &str) -> Files {
        let sql = format!(
            "SELECT {}, {}, {}, {}, {}, {}, {} FROM ZICCLOUDSYNCINGOBJECT o WHERE {} = ?1",
            self.any(&["ZALTTEXT"]),
            self.any(&["ZTITLE"]),
            self.any(&["ZURLSTRING"]),
            self.any(&["ZMERGEABLEDATA1", "ZMERGEABLEDATA"]),
            self.any(&["ZMEDIA"]),
            self.any(&["ZFILENAME"]),
            self.any(&["ZUSERTITLE"]),
            self.any(&["ZIDENTIFIER"]),
        );
        let read = |row: &Row| {
            let text = |n: usize| row.get::<_, Option<String>>(n).ok().flatten().unwrap_or_default();
            let table = row.get::<_, Option<Vec<u8>>>(3).ok().flatten();
            Ok((text(0), text(1), text(2), table, row.get::<_, Option<i64>>(4).ok().flatten(), text(5), text(6)))
        };
        let found = self.connection.query_row(&sql, [id], read).optional().ok().flatten();
        let Some((alt, title, url, table, media, name, user_title)) = found else { return Files::default() };
        match kind {
            kind if kind.starts_with("com.apple.notes.inlinetextattachment") => Files { words: alt, file: None },
            "public.url" => Files {
                words: if title.is_empty() || url.is_empty() {
                    format!("{title}{url}")
                } else {
                    format!("[{title}]({url})")
                },
                file: None,
            },
            "com.apple.notes.table" => Files { words: table.map(|t| body::table(&t)).unwrap_or_default(), file: None },
            "com.apple.notes.gallery" => Files::default(),
            _ => {
                let stored = media.and_then(|media| self.media(media)).unwrap_or(name);
                let name = [user_title, stored.clone(), title, id.to_owned()]
                    .into_iter()
                    .find(|n| !n.is_empty())
                    .unwrap_or_default();
                Files { words: String::new(), file: Some(self.attachment(name, &stored)) }
            }
        }
    }

    fn media(&self, key: i64) -> Option<String> {
        let sql = format!("SELECT {} FROM ZICCLOUDSYNCINGOBJECT o WHERE o.Z_PK = ?1", self.any(&["ZFILENAME"]));
        self.connection.query_row(&sql, [key], |row| row.get::<_, Option<String>>(0)).ok().flatten()
    }

    /// Files lie in `Accounts/<id>/Media/<id>/<name>` beside the database.
    fn attachment(&self, name: String, stored: &str) -> Attachment {
        let path = self
            .export
            .files()
            .iter()
            .find(|file| !stored.is_empty() && file.file_name() == stored)
            .map(|file| file.path.clone());
        let missing = path.is_none().then(|| "not in this export".to_owned());
        Attachment { mime: crate::mime::of_name(if stored.is_empty() { &name } else { stored }), name, path, missing }
    }
}

/// A row about a note.
struct About {
    data: i64,
    key: String,
    title: String,
    folder: i64,
    created: Option<Stamp>,
    edited: Option<Stamp>,
    locked: bool,
    deleted: bool,
}

impl About {
    fn of(row: &Row) -> rusqlite::Result<Self> {
        let number = |n: usize| row.get::<_, Option<f64>>(n).ok().flatten();
        let whole = |n: usize| row.get::<_, Option<i64>>(n).ok().flatten().unwrap_or_default();
        let text = |n: usize| row.get::<_, Option<String>>(n).ok().flatten().unwrap_or_default();
        let stamp = |n: usize| {
            let seconds = number(n).filter(|s| s.is_finite() && s.abs() < 1e10)?;
            let time = ((seconds + EPOCH) * 1000.0).round() as i64;
            Stamp::instant(Some(time).filter(|t| *t > 0), format!("{seconds}"))
        };
        let (data, note): (i64, i64) = (row.get(0)?, row.get(1)?);
        let key = Some(text(2)).filter(|id| !id.is_empty()).unwrap_or_else(|| note.to_string());
        Ok(Self {
            data,
            key,
            title: text(3),
            folder: whole(4),
            created: stamp(5),
            edited: stamp(6),
            locked: whole(7) == 1,
            deleted: whole(8) == 1,
        })
    }
}
