//! What imports did and what became of it: `evoke imports`, `evoke duplicates`, `evoke sources`.

use crate::{
    args::{Duplicates, Imports, Sources},
    run::{say, watched},
    show,
};
use evoke_memory::{
    Memory, MemoryError,
    message::{Duplicate, ImportShown, Provenance, Target},
};
use std::process::ExitCode;

pub(crate) async fn imports(what: Option<Imports>, json: bool, memory: &Memory) -> Result<ExitCode, MemoryError> {
    match what.unwrap_or(Imports::List) {
        Imports::List => {
            let all = memory.receipts().await?;
            say(json, &all, || all.iter().for_each(show::receipt));
        }
        Imports::Show { number } => {
            let shown = memory.show_import(number).await?;
            say(json, &shown, || import(&shown));
        }
        Imports::Export { number, file } => {
            let records = memory.export_lost(number, &file).await?;
            let said = serde_json::json!({ "file": file, "records": records });
            say(json, &said, || println!("{} records written to {}", show::grouped(records), file.display()));
        }
        Imports::Undo { number, dry_run } => {
            let target = Target::Import(number);
            let told = if dry_run { memory.preview_forget(&target).await? } else { memory.undo_import(number).await? };
            say(json, &told, || show::undone(&told));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn import(shown: &ImportShown) {
    show::receipt(&shown.receipt);
    for lost in &shown.lost {
        let what = if lost.skipped { "skipped" } else { "failed" };
        println!("  {what}  {}, {}: {}", lost.place.file, lost.place.at, lost.reason);
    }
    if shown.not_listed > 0 {
        println!("  and {} more, counted above and not listed", show::grouped(shown.not_listed));
    }
}

pub(crate) async fn duplicates(what: Duplicates, json: bool, memory: &Memory) -> Result<ExitCode, MemoryError> {
    match what {
        Duplicates::List => {
            let all = memory.duplicates().await?;
            let zone = memory.status_zone();
            say(json, &all, || {
                let line = |d: &Duplicate| {
                    let when = show::when(d.time, &zone);
                    println!("{}  {when}  {}: {}", d.message, d.name, d.text.lines().next().unwrap_or_default());
                    println!("  import {}, {} · {}; shown is {} of {}", d.import, d.source, d.title, d.of, d.of_source);
                };
                all.iter().for_each(line);
            });
        }
        Duplicates::Undo { id } => {
            memory.undo_duplicate(id.parse().map_err(MemoryError::BadQuery)?).await?;
            say(json, &serde_json::json!({ "shown": id }), || println!("{id} is a message of its own again."));
        }
        Duplicates::Seen { id } => {
            let all = memory.provenances(id.parse().map_err(MemoryError::BadQuery)?).await?;
            let line =
                |p: &Provenance| println!("import {} · {} · {}, {}", p.import, p.source, p.place.file, p.place.at);
            say(json, &all, || all.iter().for_each(line));
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn sources(what: Option<Sources>, json: bool, memory: &Memory) -> Result<ExitCode, MemoryError> {
    match what.unwrap_or(Sources::List) {
        Sources::List => {
            let all = memory.sources().await?;
            say(json, &all, || show::sources(&all, &memory.status_zone()));
        }
        Sources::Zone { source, zone } => {
            let (named, within) = (source.clone(), zone.clone());
            let work = |watch| async move { memory.set_zone(&named, &within, &watch).await };
            let moved = watched(json, work).await?;
            let said = serde_json::json!({ "source": source, "zone": zone, "moved": moved });
            say(json, &said, || println!("{source} is read in {zone}; {} messages moved", show::grouped(moved)));
        }
    }
    Ok(ExitCode::SUCCESS)
}
