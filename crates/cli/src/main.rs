//! The terminal door: `evoke`. Arguments in, `Memory` asked, words or JSON out.
//!
//! What is done is the memory's; what is shown is `show.rs` (and beside the commands in `account.rs`, `people.rs`,
//! `computer.rs`); the JSON-lines door for the window's
//! tests is `stdio.rs`; measuring is `measure.rs`.
#![allow(clippy::print_stdout)]

mod account;
mod args;
mod computer;
mod measure;
mod model;
mod people;
mod run;
mod show;
mod stdio;

use args::{Args, Command, Duplicates, Imports, Sources, Watched};
use clap::Parser;
use evoke_memory::{MemoryError, deny_network, keep_memory_small};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before any thread, so that every thread and child inherits it.
    deny_network();
    keep_memory_small();
    end_with_the_pipe();
    let args = Args::parse();
    let json = args.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("evoke could not start its threads: {error}");
            return ExitCode::from(70);
        }
    };
    match runtime.block_on(run::run(args)) {
        Ok(code) => code,
        Err(error) => {
            failed(&error, json);
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Who closes our output early (`| head`) ends the program quietly, as it does other tools; what an import
/// had saved by then is kept, as after any end.
#[cfg(unix)]
fn end_with_the_pipe() {
    // SAFETY: sets the default action of a signal, before any thread is there.
    #[allow(unsafe_code)]
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

#[cfg(not(unix))]
fn end_with_the_pipe() {}

fn failed(error: &MemoryError, json: bool) {
    let trouble = error.trouble();
    if json {
        println!("{}", serde_json::json!({ "error": trouble }));
    } else {
        eprintln!("evoke: {}", trouble.message);
    }
}

/// 0 done · 1 found nothing · 2 usage (clap) · 3 not there · 4 unreadable or unknown export ·
/// 5 busy · 6 key · 70 anything else.
fn exit_code(error: &MemoryError) -> u8 {
    match error.kind() {
        "bad_query" => 2,
        "not_found" => 3,
        "unknown_format" | "empty" | "hostile" | "unreadable" => 4,
        "busy" => 5,
        "locked" | "wrong_key" | "vault" | "newer" => 6,
        _ => 70,
    }
}

impl Args {
    /// Whether the command changes the archive.
    fn writes(&self) -> bool {
        match &self.command {
            Command::Import { dry_run, .. } => !dry_run,
            Command::Forget { dry_run, .. } => !dry_run,
            Command::Sample | Command::Resume { .. } | Command::Stdio => true,
            Command::People { me, what } => !me.is_empty() || what.as_ref().is_some_and(people::writes),
            Command::Sources { what } => matches!(what, Some(Sources::Zone { .. })),
            Command::Imports { what } => matches!(what, Some(Imports::Undo { dry_run: false, .. })),
            Command::Duplicates { what } => matches!(what, Duplicates::Undo { .. }),
            Command::Watch { what } => !matches!(what, Watched::List),
            Command::Model { what } => what.writes(),
            _ => false,
        }
    }
}
