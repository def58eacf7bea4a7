//! What was visited in a browser (formats.md §33), as an extra: histories of Chrome and its kin, Firefox and Safari
//! (SQLite), Google's Takeout (JSON), tables of extensions (CSV). The same visit from two of them is one.

use crate::{
    Flow, Format, ImportError, Options, bookmarks, date,
    export::Export,
    json::{self, Found, Opening, Rules, Walk, Want, hunt},
    out::Out,
    record::Thread,
    sqlite, table,
    text::utf8,
    time,
};
use evoke_message::{ConversationKind, Kind, Message, Place, Sender};
use rusqlite::Connection;
use serde_json::Value;
use std::cell::Cell;

const SOURCE: &str = "browser";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Browser history (extra)",
    kind: Kind::Web,
    how_to_export: "Chrome, Edge, Brave: close the browser and copy the file History from its profile folder (chrome://version names it). \
                    Firefox: places.sqlite from the folder under about:profiles. Safari: History.db in ~/Library/Safari. Or Google Takeout, \
                    Chrome, BrowserHistory.json.",
    detect,
    read,
};

/// 1601-01-01 in milliseconds before 1970: where Chrome counts from.
const SINCE_1601: i64 = 11_644_473_600_000;
/// 2001-01-01 in milliseconds after 1970: where Apple counts from.
const SINCE_2001: i64 = 978_307_200_000;

/// How a history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Database,
    Json,
    Table,
}

fn form(export: &Export, i: usize) -> Option<Form> {
    let head = export.head(i).ok()?;
    if sqlite::is_database(&head) {
        // Their tables stand on the first pages.
        let names = |all: &[&str]| all.iter().all(|name| head.windows(name.len()).any(|w| w == name.as_bytes()));
        let known = names(&["moz_places"])
            || names(&["history_visits", "history_items"])
            || names(&["visits", "urls", "visit_time"]);
        return known.then_some(Form::Database);
    }
    let path = export.files().get(i)?.path.to_ascii_lowercase();
    let single = export.files().len() == 1;
    if (single || path.ends_with(".json")) && hunt(&head, is_visit) {
        return Some(Form::Json);
    }
    let table = (single || path.ends_with(".csv"))
        && !head.contains(&0)
        && table::first(&head).first().is_some_and(|row| is_head(row));
    table.then_some(Form::Table)
}

fn is_visit(keys: &[&str]) -> bool {
    keys.contains(&"url") && keys.contains(&"time_usec")
}

const TIMES: [&str; 12] = [
    "visittime",
    "visit_time",
    "visit time",
    "visited on",
    "visited_on",
    "lastvisittime",
    "last_visit_time",
    "last visit time",
    "last visited",
    "datetime",
    "timestamp",
    "time",
];

fn is_head(head: &[String]) -> bool {
    let any = |names: &[&str]| names.iter().any(|n| head.iter().any(|h| h == n));
    let timed = any(&TIMES) || any(&["date"]);
    timed
        && any(&["url", "navigatedtourl"])
        && any(&["title", "pagetitle", "page title"])
        && (any(&[
            "visitcount",
            "visit_count",
            "visit count",
            "typedcount",
            "typed_count",
            "transition",
            "navigatedtourl",
        ]) || any(&TIMES[..9]))
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let files: Vec<usize> = export.unclaimed().map(|(i, _)| i).filter(|&i| form(export, i).is_some()).collect();
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut visits = Visits { begun: false };
    for &file in files {
        match form(export, file) {
            Some(Form::Database) => database(export, file, options, &mut visits, out)?,
            Some(Form::Table) => rows(export, file, options, &mut visits, out)?,
            _ => takeout(export, file, options, &mut visits, out)?,
        }
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

/// One page that was opened.
struct Visit<'a> {
    url: &'a str,
    title: &'a str,
    /// UTC milliseconds; none where it cannot be read.
    time: Option<i64>,
    written: String,
    zone_known: bool,
}

struct Visits {
    begun: bool,
}

impl Visits {
    fn put(&mut self, visit: Visit, place: Place, out: &mut Out) -> Flow {
        let lower = visit.url.to_ascii_lowercase();
        if !(lower.starts_with("http://") || lower.starts_with("https://")) {
            return out.skipped("not a web page", place);
        }
        let Some(time) = visit.time else {
            return out.failed(format!("its time {:?} cannot be read", visit.written), place);
        };
        let thread = Thread::new(SOURCE, Kind::Web, "visits");
        if !std::mem::replace(&mut self.begun, true) {
            out.conversation(thread.conversation(ConversationKind::Channel, "Browser history"))?;
        }
        let id = thread.message_id(&format!("{} at {time}", visit.url));
        let sender = Sender { key: "me".to_owned(), name: "Me".to_owned(), me: true };
        out.message(Message {
            time,
            time_original: visit.written,
            zone_known: visit.zone_known,
            text: link(visit.title, visit.url),
            order: place.at,
            ..thread.message(id, sender, place)
        })
    }
}

/// A page as a Markdown link.
pub(crate) fn link(title: &str, url: &str) -> String {
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    match title.is_empty() || title == url {
        true => url.to_owned(),
        false => format!("[{}]({url})", title.replace('[', "\\[").replace(']', "\\]")),
    }
}

/// A Takeout's `BrowserHistory.json` or `History.json`: a list in an object, or a list.
fn takeout(
    export: &Export,
    file: usize,
    options: &Options,
    visits: &mut Visits,
    out: &mut Out,
) -> Result<(), ImportError> {
    #[derive(Clone, Copy, PartialEq)]
    enum It {
        Root,
        List,
        Visit,
    }
    let want = |inside: Option<It>, key: &str, opening| match (inside, opening) {
        (None, Opening::Object) => Want::Enter(It::Root),
        (None, Opening::Array) => Want::Enter(It::List),
        (Some(It::Root), Opening::Array) if key != "Typed Url" && key != "Session" => Want::Enter(It::List),
        (Some(It::List), _) => Want::Whole(It::Visit),
        _ => Want::Skip,
    };
    let looks = |keys: &[&str]| is_visit(keys).then_some(It::List);
    let input = utf8(export.open(file)?).map_err(|e| export.trouble(file, e))?;
    let mut walk = Walk::new(input, options.limits.record, Rules { want: &want, looks: &looks });
    let (mut records, mut lost) = (0, 0);
    for found in walk.by_ref() {
        let place = || export.place(file, records + 1);
        let flow = match found {
            Found::Value(_, piece) => match json::parse::<Value>(&piece.bytes) {
                Ok((value, replaced)) => {
                    lost += replaced;
                    visit(&value, visits, place(), out)
                }
                Err(e) => out.failed(format!("its JSON cannot be read ({e})"), place()),
            },
            Found::Broken { reason, .. } => out.failed(reason, place()),
            Found::TooLong { .. } => out.failed("an entry that is too long", place()),
            Found::Opened(_) | Found::Closed(_) => continue,
        };
        records += 1;
        if flow.is_break() {
            return Ok(());
        }
    }
    let trouble = walk.trouble();
    out.file_ended(file, lost, trouble)
}

fn visit(value: &Value, visits: &mut Visits, place: Place, out: &mut Out) -> Flow {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let how = [text("page_transition"), text("page_transition_qualifier")].join(" ").to_ascii_uppercase();
    if how.contains("SUBFRAME") {
        return out.skipped("a frame within a page", place);
    }
    if how.contains("REDIRECT") && !how.contains("CHAIN_END") && !text("page_transition_qualifier").is_empty() {
        return out.skipped("only led on to another page", place);
    }
    let written =
        value.get("time_usec").map(|t| t.as_str().map_or_else(|| t.to_string(), str::to_owned)).unwrap_or_default();
    let time = written.parse::<f64>().ok().and_then(|usec| time::from_number(usec.max(1e14)).filter(|_| usec >= 1e14));
    visits.put(Visit { url: text("url"), title: text("title"), time, written, zone_known: true }, place, out)
}

fn rows(
    export: &Export,
    file: usize,
    options: &Options,
    visits: &mut Visits,
    out: &mut Out,
) -> Result<(), ImportError> {
    table::each(export, file, options, out, is_head, |row, out| {
        let place = export.place(file, row.line);
        if row.get("transition").to_ascii_lowercase().contains("subframe") {
            return out.skipped("a frame within a page", place);
        }
        let clock = row.any(&TIMES);
        let written = match (row.get("date"), clock) {
            (date, clock) if clock.contains(['-', '/']) || clock.len() > 9 || date.is_empty() => clock.to_owned(),
            (date, clock) => format!("{date} {clock}").trim().to_owned(),
        };
        let (time, zone_known) = when(&written, options);
        let visit = Visit {
            url: row.any(&["url", "navigatedtourl"]),
            title: row.any(&["title", "pagetitle", "page title"]),
            time,
            written,
            zone_known,
        };
        visits.put(visit, place, out)
    })
}

/// A number since 1970 or 1601, an ISO time, an American or an English date.
fn when(written: &str, options: &Options) -> (Option<i64>, bool) {
    if let Ok(number) = written.parse::<f64>() {
        // Microseconds since 1601 are 1.3e16 and more in our time, those since 1970 less than 5e15.
        let time = if number > 1e16 && number < 1e17 {
            Some(((number / 1e3) as i64).saturating_sub(SINCE_1601))
        } else {
            time::from_number(number)
        };
        return (time, true);
    }
    let slashed = written.split([' ', ',']).next().is_some_and(|day| day.split('/').count() == 3);
    let read = match slashed {
        true => american(written).and_then(|text| date::parse(&text, &options.zone)),
        false => date::parse(written, &options.zone),
    };
    (read.map(|w| w.time), read.is_some_and(|w| w.zone_known))
}

/// `3/15/2024 9:30:00 AM` as `15 Mar 2024 9:30:00 AM`.
fn american(written: &str) -> Option<String> {
    let (day, clock) = written.split_once([' ', ','])?;
    let numbers: Vec<&str> = day.split('/').collect();
    let (month, day, year) = match numbers.as_slice() {
        [year, month, day] if year.len() == 4 => (*month, *day, *year),
        [month, day, year] => (*month, *day, *year),
        _ => return None,
    };
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let name = names.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    Some(format!("{day} {name} {year} {clock}"))
}

/// What is asked of a database, and how its times count.
struct Ask {
    sql: &'static str,
    time: fn(f64) -> i64,
}

const CHROME: Ask = Ask {
    sql: "SELECT u.url, u.title, v.visit_time, CASE
            WHEN v.transition & 255 IN (3, 4) THEN 'a frame within a page'
            WHEN v.transition & 0xF0000000 != 0 AND v.transition & 0x20000000 = 0 THEN 'only led on to another page' END
          FROM visits v JOIN urls u ON u.id = v.url ORDER BY v.visit_time, v.id",
    time: |t| ((t / 1e3) as i64).saturating_sub(SINCE_1601),
};
const FIREFOX: Ask = Ask {
    sql: "SELECT p.url, p.title, v.visit_date, CASE
            WHEN v.visit_type IN (4, 8) THEN 'a frame within a page'
            WHEN p.hidden = 1 THEN 'only led on to another page' END
          FROM moz_historyvisits v JOIN moz_places p ON p.id = v.place_id ORDER BY v.visit_date, v.id",
    time: |t| (t / 1e3) as i64,
};
const SAFARI: Ask = Ask {
    sql: "SELECT i.url, v.title, v.visit_time, CASE WHEN v.redirect_destination IS NOT NULL THEN 'only led on to another page' END
          FROM history_visits v JOIN history_items i ON i.id = v.history_item ORDER BY v.visit_time, v.id",
    time: |t| ((t * 1e3) as i64).saturating_add(SINCE_2001),
};
/// Of a `History.db` without redirects.
const OLD_SAFARI: Ask = Ask {
    sql: "SELECT i.url, v.title, v.visit_time, NULL FROM history_visits v JOIN history_items i ON i.id = v.history_item ORDER BY v.visit_time",
    time: |t| ((t * 1e3) as i64).saturating_add(SINCE_2001),
};

fn database(
    export: &Export,
    file: usize,
    options: &Options,
    visits: &mut Visits,
    out: &mut Out,
) -> Result<(), ImportError> {
    let connection = sqlite::open(export, file, options)?;
    let records = Cell::new(0);
    let place = || {
        records.set(records.get() + 1);
        export.place(file, records.get())
    };
    let ask = match () {
        () if sqlite::has_tables(&connection, &["moz_places", "moz_historyvisits"]) => Some(FIREFOX),
        () if sqlite::has_tables(&connection, &["history_visits", "history_items"]) => {
            let new = sqlite::columns(&connection, "history_visits").iter().any(|c| c == "redirect_destination");
            Some(if new { SAFARI } else { OLD_SAFARI })
        }
        () if sqlite::has_tables(&connection, &["urls", "visits"]) => Some(CHROME),
        () => None,
    };
    let done = ask.map_or(Ok(()), |ask| asked(&connection, &ask, visits, &place, out));
    if let Err(e) = done {
        let _ = out.failed(format!("the rest of the database could not be read: {e}"), place());
    }
    if sqlite::has_tables(&connection, &["moz_bookmarks", "moz_places"])
        && let Err(e) = bookmarks::of_firefox(&connection, options.now, &place, out)
    {
        let _ = out.failed(format!("the bookmarks could not be read: {e}"), place());
    }
    Ok(())
}

fn asked(
    connection: &Connection,
    ask: &Ask,
    visits: &mut Visits,
    place: &dyn Fn() -> Place,
    out: &mut Out,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(ask.sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text = |i: usize| {
            row.get_ref(i)
                .ok()
                .and_then(|v| v.as_bytes().ok())
                .map(|b| String::from_utf8_lossy(b).into_owned())
                .unwrap_or_default()
        };
        let number = row.get::<_, f64>(2).or_else(|_| row.get::<_, i64>(2).map(|n| n as f64)).ok();
        let flow = match text(3) {
            reason if !reason.is_empty() => out.skipped(reason, place()),
            _ => {
                let time = number.map(ask.time).filter(|t| *t > 0 && *t < 7_258_118_400_000);
                let written = number.map(|n| n.to_string()).unwrap_or_default();
                visits.put(Visit { url: &text(0), title: &text(1), time, written, zone_known: true }, place(), out)
            }
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}
