//! Answers in words for a terminal. Nothing is computed here.

use evoke_memory::message::{
    ConversationRow, Day, DryRun, Forgotten, Found, Hit, MessageId, ModelRow, Page, PersonRow, Reason, Receipt, Shown,
    SourceRow, Status, Timeline, Unit,
};
use jiff::{Timestamp, tz::TimeZone};

/// A time as people read it.
pub(crate) fn when(time: i64, zone: &TimeZone) -> String {
    let at = Timestamp::from_millisecond(time).unwrap_or_default().to_zoned(zone.clone());
    at.strftime("%-d %b %Y, %H:%M").to_string()
}

pub(crate) fn span(first: Option<i64>, last: Option<i64>, zone: &TimeZone) -> String {
    let day = |t: i64| {
        Timestamp::from_millisecond(t).unwrap_or_default().to_zoned(zone.clone()).strftime("%b %Y").to_string()
    };
    match (first, last) {
        (Some(first), Some(last)) => format!("{} – {}", day(first), day(last)),
        _ => String::new(),
    }
}

/// "1 conversation", "1,204 conversations"
fn counted(n: u64, one: &str) -> String {
    let many = if one == "person" { "people" } else { &format!("{one}s") };
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// 1204331 → 1,204,331
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

pub(crate) fn receipt(r: &Receipt) {
    let undone = if r.undone.is_some() { " (undone)" } else { "" };
    println!("Import {} · {}{undone}", r.import, r.names.join(", "));
    println!(
        "  {} seen = {} added + {} updated + {} already there + {} skipped + {} failed",
        grouped(r.seen),
        grouped(r.added),
        grouped(r.updated),
        grouped(r.duplicate),
        grouped(r.skipped),
        grouped(r.failed)
    );
    let span = span(r.first, r.last, &TimeZone::system());
    println!("  {}, {span}, in {:.1} s", counted(r.conversations, "conversation"), r.took_ms as f32 / 1000.0);
    reasons("skipped", &r.skipped_because);
    reasons("failed", &r.failed_because);
    if r.wall_times > 0 {
        println!("  {} times without a zone were read in {}", grouped(r.wall_times), r.zone);
    }
    r.notes.iter().for_each(|note| println!("  note: {note}"));
}

fn reasons(word: &str, all: &[Reason]) {
    for reason in all {
        let place = reason.places.first().map(|p| format!(" (first: {}, {})", p.file, p.at)).unwrap_or_default();
        println!("  {word}: {} × {}{place}", grouped(reason.count), reason.reason);
    }
}

pub(crate) fn dry_run(dry: &DryRun) {
    println!("Nothing is saved yet. {}", dry.sentence);
    let r = &dry.receipt;
    println!("  people: {}", dry.people.join(", "));
    println!("  {} already there, {} skipped, {} failed", grouped(r.duplicate), grouped(r.skipped), grouped(r.failed));
    println!("  {}", span(r.first, r.last, &TimeZone::system()));
    reasons("skipped", &r.skipped_because);
    reasons("failed", &r.failed_because);
    r.notes.iter().for_each(|note| println!("  note: {note}"));
}

pub(crate) fn found(found: &Found, zone: &TimeZone) {
    let chips: Vec<&str> = found.chips.iter().map(|c| c.label.as_str()).collect();
    if !chips.is_empty() {
        println!("Filters: {}", chips.join(" · "));
    }
    if found.hits.is_empty() {
        println!("Nothing found.");
        for offer in &found.offers {
            println!("  {}: {} messages", offer.label, grouped(offer.count));
        }
        return;
    }
    let messages = counted(found.messages, "message");
    println!("{messages} in {}, {} ms", counted(found.conversations, "conversation"), found.took_ms);
    if found.coverage.waiting > 0 {
        println!(
            "Meaning search sees {} of {} messages so far; words see all.",
            grouped(found.coverage.embedded),
            grouped(found.coverage.passages - found.coverage.excluded)
        );
    }
    for (n, hit) in found.hits.iter().enumerate() {
        println!();
        one_hit(n + 1, hit, zone);
    }
}

fn one_hit(n: usize, hit: &Hit, zone: &TimeZone) {
    let m = &hit.message;
    let who = if m.mine { "You" } else { m.name.as_str() };
    println!("{n:>3}  {who} · {} · {} · {}", m.title, m.source, when(m.time, zone));
    let units: Vec<u16> = hit.snippet.encode_utf16().collect();
    let mut text = String::new();
    let mut at = 0;
    for range in &hit.highlights {
        let (start, end) = (range.start as usize, range.end as usize);
        text.push_str(&String::from_utf16_lossy(units.get(at..start).unwrap_or_default()));
        text.push('*');
        text.push_str(&String::from_utf16_lossy(units.get(start..end).unwrap_or_default()));
        text.push('*');
        at = end;
    }
    text.push_str(&String::from_utf16_lossy(units.get(at..).unwrap_or_default()));
    println!("     {}", text.replace('\n', "\n     "));
    println!("     {} · score {:.2} · {}", m.id, hit.score, hit.why.sentence);
}

pub(crate) fn page(page: &Page, at: Option<MessageId>, zone: &TimeZone) {
    println!("{} · {} · {} messages", page.title, page.source, grouped(page.total));
    for m in &page.messages {
        message(m, at == Some(m.id), zone);
    }
}

pub(crate) fn message(m: &Shown, marked: bool, zone: &TimeZone) {
    let mark = if marked { ">" } else { " " };
    let who = if m.mine { "You" } else { m.name.as_str() };
    println!("{mark} {}  {who}: {}", when(m.time, zone), m.text.replace('\n', "\n    "));
    for file in &m.attachments {
        let missing = file.missing.as_ref().map(|m| format!(" ({m})")).unwrap_or_default();
        println!("    [{}{missing}]", file.name);
    }
}

pub(crate) fn timeline(t: &Timeline, zone: &TimeZone) {
    let most = t.buckets.iter().map(|b| b.count).max().unwrap_or(1).max(1);
    for bucket in t.buckets.iter().filter(|b| b.count > 0) {
        let at = Timestamp::from_millisecond(bucket.start).unwrap_or_default().to_zoned(zone.clone());
        let label = match t.unit {
            Unit::Hour => at.strftime("%-d %b %Y %H:00"),
            Unit::Day | Unit::Week => at.strftime("%-d %b %Y"),
            Unit::Month => at.strftime("%b %Y"),
            Unit::Year => at.strftime("%Y"),
        };
        let bar = "█".repeat((bucket.count * 40).div_ceil(most) as usize);
        let by: Vec<String> = bucket.by_source.iter().map(|(s, n)| format!("{s} {n}")).collect();
        println!("{:>18} {:>7} {bar} {}", label.to_string(), grouped(bucket.count), by.join(", "));
    }
    println!("{} messages, times in {}", grouped(t.total), t.zone);
}

pub(crate) fn day(day: &Day, zone: &TimeZone) {
    println!("{} · {} messages", day.date, grouped(day.total));
    for c in &day.clusters {
        println!(
            "  {} · {} · {} messages, {} to {}",
            c.title,
            c.source,
            c.count,
            when(c.first, zone),
            when(c.last, zone)
        );
        println!("    {}: {}", c.name, c.line);
    }
    for other in &day.other_years {
        println!(
            "  in {}: {}: {}",
            other.year,
            other.message.name,
            other.message.text.lines().next().unwrap_or_default()
        );
    }
}

pub(crate) fn conversations(all: &[ConversationRow], zone: &TimeZone) {
    for c in all {
        println!("{}  {:>8}  {:10} {} · {}", c.id, grouped(c.messages), c.source, c.title, span(c.first, c.last, zone));
    }
}

pub(crate) fn people(all: &[PersonRow], zone: &TimeZone) {
    for p in all {
        let me = if p.me { " (you)" } else { "" };
        println!(
            "{}  {:>8}  {}{me} · {} · {}",
            p.id,
            grouped(p.messages),
            p.name,
            p.sources.join(", "),
            span(p.first, p.last, zone)
        );
    }
}

pub(crate) fn sources(all: &[SourceRow], zone: &TimeZone) {
    for s in all {
        println!(
            "{:12} {:>18}, {}  {}",
            s.source,
            counted(s.messages, "message"),
            counted(s.conversations, "conversation"),
            span(s.first, s.last, zone)
        );
        if let Some(zone) = &s.zone {
            println!("             times without a zone are read in {zone}");
        }
        println!("             {}: {}", s.label, s.how_to_export);
    }
}

pub(crate) fn status(s: &Status) {
    let c = &s.index.coverage;
    println!(
        "{}, {}, {}, {}",
        counted(s.archive.messages, "message"),
        counted(s.archive.conversations, "conversation"),
        counted(s.archive.people, "person"),
        counted(s.archive.sources, "source")
    );
    println!(
        "Meaning: {} % ({} read, {} waiting, {} failed, {} with nothing to read); vectors {}",
        s.index.percent,
        grouped(c.embedded),
        grouped(c.waiting),
        grouped(c.failed),
        grouped(c.excluded),
        s.index.vectors
    );
    println!("Network: {}", s.network.sentence);
    println!("Protection: {}", s.protection.sentence);
    println!("Model: {} on {}", s.model, s.device);
    println!("Home: {} ({:.1} MB), times in {}", s.home, s.disk_bytes as f64 / 1e6, s.zone);
    if s.read_only {
        println!("Opened for reading.");
    }
}

pub(crate) fn forgotten(f: &Forgotten) {
    let word = if f.done { "Forgotten" } else { "Would be forgotten" };
    println!(
        "{word}: {}; {}, {}, {}",
        f.sentence,
        counted(f.passages, "passage"),
        counted(f.conversations, "whole conversation"),
        counted(f.people, "person")
    );
    if f.done {
        println!("Gone from every table, index, statistic and old version, in {:.1} s.", f.took_ms as f32 / 1000.0);
    }
}

pub(crate) fn undone(f: &Forgotten) {
    let word = if f.done { "Undone" } else { "Would be undone" };
    println!(
        "{word}: {}; {}, {}. It may be imported again.",
        f.sentence,
        counted(f.conversations, "whole conversation"),
        counted(f.people, "person")
    );
}

pub(crate) fn model(m: &ModelRow) {
    let kind = if m.evolver { ", with a latent memory" } else { "" };
    println!("{:24} {:11} {} dims{kind}, {} MB, {}", m.name, m.state, m.dims, m.bytes.div_ceil(1_000_000), m.folder);
    if let Some(trouble) = &m.trouble {
        println!("  {trouble}");
    }
}
