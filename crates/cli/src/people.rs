//! `evoke people`: who is in the archive, who is whom, and who is you.

use crate::{args::People, run::say, show};
use evoke_memory::{
    Memory, MemoryError,
    message::{PersonId, PersonPage, PersonRow, Suggestion, WhoIsMe},
};
use jiff::tz::TimeZone;
use std::process::ExitCode;

/// Whether the command changes the archive.
pub(crate) fn writes(what: &People) -> bool {
    match what {
        People::Merge { .. } | People::Split { .. } | People::Different { .. } => true,
        People::Me { people, import, .. } => !people.is_empty() || import.is_some(),
        People::List | People::Show { .. } | People::Suggest => false,
    }
}

/// `me` is the older way to say who is you, and that nobody else is.
pub(crate) async fn run(
    what: Option<People>,
    me: &[String],
    json: bool,
    memory: &Memory,
) -> Result<ExitCode, MemoryError> {
    if !me.is_empty() {
        memory.set_me(&found(memory, me).await?).await?;
    }
    let zone = memory.status_zone();
    match what.unwrap_or(People::List) {
        People::List => list(memory, json).await?,
        People::Show { who } => {
            let page = memory.person(one(memory, &who).await?).await?;
            say(json, &page, || person(&page, &zone));
        }
        People::Suggest => {
            let all = memory.suggest_people().await?;
            say(json, &all, || all.iter().for_each(suggestion));
            return Ok(ExitCode::from(u8::from(all.is_empty())));
        }
        People::Merge { people } => {
            let mut ids = Vec::new();
            for who in &people {
                ids.push(one(memory, who).await?);
            }
            let merged = memory.merge_people(&ids).await?;
            say(json, &merged, || show::people(std::slice::from_ref(&merged), &zone));
        }
        People::Split { identity } => {
            let id = identity.parse().map_err(MemoryError::BadQuery)?;
            memory.split_person(id).await?;
            list(memory, json).await?;
        }
        People::Different { people } => {
            let mut ids = Vec::new();
            for who in &people {
                ids.push(one(memory, who).await?);
            }
            memory.not_the_same(&ids).await?;
            list(memory, json).await?;
        }
        People::Me { people, import, not } => return owner(&people, import, not, json, memory).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(memory: &Memory, json: bool) -> Result<(), MemoryError> {
    let all = memory.people().await?;
    say(json, &all, || show::people(&all, &memory.status_zone()));
    Ok(())
}

async fn owner(
    people: &[String],
    import: Option<u64>,
    not: bool,
    json: bool,
    memory: &Memory,
) -> Result<ExitCode, MemoryError> {
    let ids = found(memory, people).await?;
    match import {
        Some(import) => memory.answer_me(import, &ids).await?,
        None if ids.is_empty() => {
            let asked = memory.who_is_me().await?;
            say(json, &asked, || asked.iter().for_each(who_is_me));
            return Ok(ExitCode::SUCCESS);
        }
        None if not => memory.not_me(&ids).await?,
        None => memory.add_me(&ids).await?,
    }
    list(memory, json).await?;
    Ok(ExitCode::SUCCESS)
}

/// People by id, by name, or by a number or address of one of their identities.
pub(crate) async fn found(memory: &Memory, names: &[String]) -> Result<Vec<PersonId>, MemoryError> {
    let all = memory.people().await?;
    let mut ids = Vec::new();
    for name in names {
        let before = ids.len();
        ids.extend(all.iter().filter(|p| p.name == *name || p.id.to_string() == *name).map(|p| p.id));
        if ids.len() == before {
            ids.extend(memory.people_called(name));
        }
        if ids.len() == before {
            return Err(MemoryError::NotFound(format!("nobody is called {name}: see `evoke people`")));
        }
    }
    Ok(ids)
}

async fn one(memory: &Memory, who: &str) -> Result<PersonId, MemoryError> {
    match found(memory, &[who.to_owned()]).await?[..] {
        [one] => Ok(one),
        ref several => Err(MemoryError::BadQuery(format!(
            "{} people are called {who}: give the id from `evoke people --json`",
            several.len()
        ))),
    }
}

fn person(page: &PersonPage, zone: &TimeZone) {
    show::people(std::slice::from_ref(&page.person), zone);
    for identity in &page.identities {
        let more = [&identity.numbers, &identity.addresses, &identity.handles];
        let more: Vec<&str> = more.into_iter().flatten().map(String::as_str).collect();
        println!(
            "  {}  {:10} {} · {} · {} messages  {}",
            identity.id,
            identity.source,
            identity.name,
            identity.key,
            show::grouped(identity.messages),
            more.join(", ")
        );
    }
    let most = page.months.iter().map(|m| m.count).max().unwrap_or(1).max(1);
    for month in page.months.iter().filter(|m| m.count > 0) {
        let bar = "█".repeat((month.count * 30).div_ceil(most) as usize);
        println!("  {} {:>7} {bar}", month.month, show::grouped(month.count));
    }
    show::conversations(&page.conversations, zone);
    if page.mentioned > 0 {
        println!("Notes that mention them: {}", show::grouped(page.mentioned));
        page.mentions.iter().for_each(|m| show::message(m, false, zone));
    }
}

fn suggestion(s: &Suggestion) {
    let name = |p: &PersonRow| format!("{} ({}, {})", p.name, p.sources.join(", "), p.id);
    println!("{}\n{}", name(&s.one), name(&s.other));
    s.evidence.iter().for_each(|e| println!("  {}", e.sentence));
}

fn who_is_me(asked: &WhoIsMe) {
    println!("Import {} · {}: which one is you?", asked.import, asked.names.join(", "));
    for guess in &asked.guesses {
        println!("  {}  {} · {}", guess.person.id, guess.person.name, guess.sentence);
    }
    println!("  Say it with `evoke people me ID`, or that nobody is with `evoke people me --import {}`.", asked.import);
}
