//! What is on this computer: `evoke discover`, `evoke watch`.

use crate::{
    args::Watched,
    run::{say, watched},
    show,
};
use evoke_memory::{
    Memory, MemoryError, Watch, account_folder,
    message::{Discovered, WatchedKind, WatchedRow},
};
use std::{path::Path, process::ExitCode};

pub(crate) fn discover(folder: Option<&Path>, json: bool) -> Result<ExitCode, MemoryError> {
    let folder = folder.map_or_else(account_folder, |f| Ok(f.to_owned()))?;
    if !folder.is_dir() {
        return Err(MemoryError::NotFound(format!("there is no folder at {}", folder.display())));
    }
    let all = evoke_memory::discover(&folder);
    let line = |d: &Discovered| {
        let more = if d.more { "more than " } else { "" };
        println!("{:26} {}", d.label, d.path);
        let span = show::span(d.first, d.last, &jiff::tz::TimeZone::system());
        println!("  {more}{} files, {:.1} MB · {span}", show::grouped(d.files), d.bytes as f64 / 1e6);
    };
    say(json, &all, || all.iter().for_each(line));
    Ok(ExitCode::from(u8::from(all.is_empty())))
}

pub(crate) async fn watch(what: Watched, json: bool, memory: &Memory) -> Result<ExitCode, MemoryError> {
    match what {
        Watched::Add { folder } => {
            watched(json, |watch| async move { memory.add_watched(&folder, &watch).await }).await?;
        }
        Watched::Remove { folder } => memory.remove_watched(&folder)?,
        Watched::List => {}
        Watched::Run => return keep_up(memory, json).await,
    }
    let all = memory.watched()?;
    say(json, &all, || all.iter().for_each(row));
    Ok(ExitCode::SUCCESS)
}

fn row(w: &WatchedRow) {
    let kind = match w.kind {
        WatchedKind::Notes => "notes, deletions too",
        WatchedKind::Files => "new and changed files",
    };
    println!("{} · {kind} · {} files · import {}", w.path, show::grouped(w.files), w.import);
    if let Some(trouble) = &w.trouble {
        println!("  {trouble}");
    }
}

async fn keep_up(memory: &Memory, json: bool) -> Result<ExitCode, MemoryError> {
    if memory.watched()?.is_empty() {
        return Err(MemoryError::NotFound("no folder is watched: `evoke watch add` one first".into()));
    }
    if !json {
        eprintln!("Keeping {} folders up to date; Ctrl-C ends it.", memory.watched()?.len());
    }
    let watch = Watch::default();
    let work = memory.keep_up(&watch);
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => done?,
        _ = tokio::signal::ctrl_c() => {
            watch.stop();
            work.await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
