//! Each command: one method of `Memory`, then what it says.

use crate::{
    account,
    args::{Args, Command, Dates, What},
    computer, measure, model, people, show, stdio,
};
use evoke_memory::{
    Device, ImportOptions, Memory, MemoryError, Options, Watch, default_home, home_exists,
    message::{ConversationId, Query, Stage, Target},
    sample,
};
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde::Serialize;
use std::{
    fs::OpenOptions,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

pub(crate) async fn run(args: Args) -> Result<ExitCode, MemoryError> {
    let json = args.json;
    let options = options(&args)?;
    match &args.command {
        Command::Home { digest: false } => {
            say(json, &serde_json::json!({ "home": options.home }), || println!("{}", options.home.display()));
            return Ok(ExitCode::SUCCESS);
        }
        // No archive is needed to look around.
        Command::Discover { folder } => return computer::discover(folder.as_deref(), json),
        Command::Eval { .. } => return measure::run(&args.command, json, &options).await,
        Command::Stdio => return stdio::run(options).await,
        Command::Model { what } => {
            if let Some(code) = model::without_archive(what, json, &options)? {
                return Ok(code);
            }
        }
        _ => {}
    }
    // A dry run needs an archive to compare with; without one everything is new, and none is left behind.
    let scratch = tempfile_home(&args, &options)?;
    let options = match &scratch {
        Some(folder) => Options { home: folder.path().to_owned(), keychain: false, write: true, ..options },
        None => options,
    };
    let memory = Memory::open(options).await?;
    if args.writes() && !memory.writes() {
        return Err(MemoryError::Busy);
    }
    command(args.command, json, args.zone, &memory).await
}

async fn command(command: Command, json: bool, zone: Option<String>, memory: &Memory) -> Result<ExitCode, MemoryError> {
    match command {
        Command::Import { paths, dry_run, wall_zone, again, words_only, me, copy_files, dates } => {
            let day_first = dates.map(|dates| dates == Dates::DayFirst);
            let options = ImportOptions { zone: wall_zone.or(zone), again, words_only, me, copy_files, day_first };
            if dry_run {
                let dry = memory.dry_run(&paths, &options).await?;
                say(json, &dry, || show::dry_run(&dry));
                return Ok(ExitCode::SUCCESS);
            }
            return import(memory, &paths, &options, json).await;
        }
        Command::Sample => return import(memory, &sample::paths()?, &sample::options(), json).await,
        Command::Resume { words_only } => {
            let receipts = watched(json, |watch| async move { memory.resume(words_only, &watch).await }).await?;
            say(json, &receipts, || receipts.iter().for_each(show::receipt));
        }
        Command::Search { query, limit, offset, sort, mode, rerank, with } => {
            let query = Query {
                text: query.join(" "),
                limit,
                offset,
                sort: sort.into(),
                mode: mode.into(),
                rerank,
                rerank_with: with.unwrap_or_default(),
                ..Query::default()
            };
            let found = memory.search(&query).await?;
            say(json, &found, || show::found(&found, &memory.status_zone()));
            return Ok(ExitCode::from(u8::from(found.hits.is_empty())));
        }
        Command::Show { id, context } => {
            let message = id.parse().map_err(MemoryError::BadQuery)?;
            let page = match memory.neighbours(message, context, context).await {
                Err(MemoryError::NotFound(_)) => {
                    memory.conversation(ConversationId(message.0), None, 2 * context + 1).await?
                }
                other => other?,
            };
            say(json, &page, || show::page(&page, Some(message), &memory.status_zone()));
        }
        Command::File { id, file, out } => {
            let message = id.parse().map_err(MemoryError::BadQuery)?;
            let bytes = memory.file_bytes(message, file.saturating_sub(1)).await?;
            write_new(&out, &bytes)?;
            say(json, &serde_json::json!({ "bytes": bytes.len() }), || {
                println!("{}: {} bytes.", out.display(), bytes.len());
            });
        }
        Command::Timeline { query, by, day, around, from, until, limit } => {
            return timeline(memory, json, &query.join(" "), by.into(), (day, around), (from, until), limit).await;
        }
        Command::Conversations { source } => {
            let all = memory.conversations(source.as_deref()).await?;
            say(json, &all, || show::conversations(&all, &memory.status_zone()));
        }
        Command::People { me, what } => return people::run(what, &me, json, memory).await,
        Command::Sources { what } => return account::sources(what, json, memory).await,
        Command::Imports { what } => return account::imports(what, json, memory).await,
        Command::Duplicates { what } => return account::duplicates(what, json, memory).await,
        Command::Watch { what } => return computer::watch(what, json, memory).await,
        Command::Home { .. } => {
            let digest = memory.digest().await?;
            say(json, &serde_json::json!({ "digest": digest }), || println!("{digest}"));
        }
        Command::Status => {
            let status = memory.status().await?;
            say(json, &status, || show::status(&status));
        }
        Command::Forget { what, dry_run, yes } => return forget(memory, json, &what, dry_run, yes).await,
        Command::Model { what } => return model::run(what, json, memory).await,
        Command::Discover { .. } | Command::Eval { .. } | Command::Stdio => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a value as JSON, or in words.
pub(crate) fn say<T: Serialize>(json: bool, value: &T, words: impl FnOnce()) {
    if !json {
        return words();
    }
    match serde_json::to_string_pretty(value) {
        Ok(text) => println!("{text}"),
        Err(error) => eprintln!("evoke: the answer could not be written as JSON: {error}"),
    }
}

fn options(args: &Args) -> Result<Options, MemoryError> {
    let home = args.home.clone().map_or_else(default_home, Ok)?;
    let mut options = Options::new(home, args.writes());
    options.passphrase = std::env::var("EVOKE_PASSPHRASE").ok().filter(|p| !p.is_empty());
    options.keychain = !args.key_file;
    options.one_command = !matches!(args.command, Command::Stdio);
    options.device = args.device.parse::<Device>().map_err(|e| MemoryError::BadQuery(e.to_string()))?;
    if let Some(zone) = &args.zone {
        options.zone = TimeZone::get(zone)
            .map_err(|_| MemoryError::BadQuery(format!("{zone} is no time zone: write it as in Europe/Berlin")))?;
    }
    Ok(options)
}

/// A folder for the archive of a dry run where there is none yet.
fn tempfile_home(args: &Args, options: &Options) -> Result<Option<tempfile::TempDir>, MemoryError> {
    let dry = matches!(&args.command, Command::Import { dry_run: true, .. });
    if !dry || home_exists(&options.home) {
        return Ok(None);
    }
    Ok(Some(tempfile::tempdir().map_err(anyhow::Error::from)?))
}

async fn import(
    memory: &Memory,
    paths: &[PathBuf],
    options: &ImportOptions,
    json: bool,
) -> Result<ExitCode, MemoryError> {
    let receipt = watched(json, |watch| async move { memory.import(paths, options, &watch).await }).await?;
    say(json, &receipt, || show::receipt(&receipt));
    if !json && memory.who_is_me().await?.iter().any(|asked| asked.import == receipt.import) {
        println!("  Which one is you? This export does not say it: `evoke people me` lists who may be.");
    }
    let nothing = receipt.seen > 0 && receipt.failed == receipt.seen;
    Ok(if nothing { ExitCode::from(4) } else { ExitCode::SUCCESS })
}

/// Long work with a bar on a terminal; Ctrl-C ends it after what is being written.
pub(crate) async fn watched<T, F: Future<Output = Result<T, MemoryError>>>(
    json: bool,
    work: impl FnOnce(Watch) -> F,
) -> Result<T, MemoryError> {
    let watch = Watch::default();
    let bar = if json || !std::io::stderr().is_terminal() {
        indicatif::ProgressBar::hidden()
    } else {
        indicatif::ProgressBar::no_length()
    };
    if let Ok(style) =
        indicatif::ProgressStyle::with_template("{msg:22} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}")
    {
        bar.set_style(style);
    }
    let mut work = std::pin::pin!(work(watch.clone()));
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            done = &mut work => {
                bar.finish_and_clear();
                return done;
            }
            _ = tick.tick() => {
                if let Some(now) = watch.progress() {
                    bar.set_message(stage(now.stage));
                    bar.set_length(now.total.max(now.done));
                    bar.set_position(now.done);
                }
            }
            _ = tokio::signal::ctrl_c() => watch.stop(),
        }
    }
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Reading => "Reading",
        Stage::Saving => "Saving",
        Stage::Words => "Making words searchable",
        Stage::Meaning => "Reading for meaning",
        Stage::Done => "Done",
    }
}

async fn timeline(
    memory: &Memory,
    json: bool,
    text: &str,
    unit: evoke_memory::message::Unit,
    (day, around): (Option<String>, Option<String>),
    (from, until): (Option<String>, Option<String>),
    limit: usize,
) -> Result<ExitCode, MemoryError> {
    let zone = memory.status_zone();
    if let Some(day) = day {
        let day = memory.day(&day, &[]).await?;
        say(json, &day, || show::day(&day, &zone));
    } else if let Some(around) = around {
        let messages = memory.messages_around(instant(&around, &zone)?, limit).await?;
        say(json, &messages, || messages.iter().for_each(|m| show::message(m, false, &zone)));
    } else {
        let query = Query { text: text.to_owned(), ..Query::default() };
        let query = (!text.is_empty()).then_some(query);
        let from = from.map(|d| instant(&d, &zone)).transpose()?;
        let until = until.map(|d| instant(&d, &zone)).transpose()?;
        let timeline = memory.timeline(query.as_ref(), unit, from, until).await?;
        say(json, &timeline, || show::timeline(&timeline, &zone));
    }
    Ok(ExitCode::SUCCESS)
}

async fn forget(memory: &Memory, json: bool, what: &What, dry_run: bool, yes: bool) -> Result<ExitCode, MemoryError> {
    let target = target(memory, what).await?;
    let preview = memory.preview_forget(&target).await?;
    if dry_run || !(yes || agreed(&preview.sentence)?) {
        say(json, &preview, || show::forgotten(&preview));
        return Ok(ExitCode::SUCCESS);
    }
    let done = memory.forget(&target).await?;
    say(json, &done, || show::forgotten(&done));
    Ok(ExitCode::SUCCESS)
}

/// Asks on a terminal; elsewhere nothing is forgotten without `--yes`.
fn agreed(sentence: &str) -> Result<bool, MemoryError> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    eprint!("Forget {sentence}, for good? Type yes: ");
    std::io::stderr().flush().map_err(anyhow::Error::from)?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(anyhow::Error::from)?;
    Ok(line.trim() == "yes")
}

async fn target(memory: &Memory, what: &What) -> Result<Target, MemoryError> {
    let What { message, conversation, source, person, period, import } = what;
    if let Some(id) = message {
        return Ok(Target::Message(id.parse().map_err(MemoryError::BadQuery)?));
    }
    if let Some(name) = conversation {
        return Ok(Target::Conversation(one_conversation(memory, name).await?));
    }
    if let Some(source) = source {
        return Ok(Target::Source(source.clone()));
    }
    if let Some(name) = person {
        let found = people::found(memory, std::slice::from_ref(name)).await?;
        return match found[..] {
            [one] => Ok(Target::Person(one)),
            _ => Err(MemoryError::BadQuery(format!(
                "{} people are called {name}: give the id from `evoke people --json`",
                found.len()
            ))),
        };
    }
    if let Some(period) = period {
        return span(period, &memory.status_zone());
    }
    Ok(Target::Import(import.unwrap_or_default()))
}

fn span(period: &str, zone: &TimeZone) -> Result<Target, MemoryError> {
    let wrong = || MemoryError::BadQuery(format!("{period} is no period: write it as 2023-05-01..2023-05-31"));
    let (from, to) = period.split_once("..").ok_or_else(wrong)?;
    let last: Date = to.parse().map_err(|_| wrong())?;
    let after = last.checked_add(1.day()).map_err(|_| wrong())?;
    Ok(Target::Period { from: instant(from, zone)?, until: instant(&after.to_string(), zone)? })
}

async fn one_conversation(memory: &Memory, name: &str) -> Result<ConversationId, MemoryError> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let all = memory.conversations(None).await?;
    let found: Vec<_> = all.iter().filter(|c| c.title == name).collect();
    match found[..] {
        [one] => Ok(one.id),
        [] => Err(MemoryError::NotFound(format!("no conversation is called {name}"))),
        _ => Err(MemoryError::BadQuery(format!(
            "{} conversations are called {name}: give the id from `evoke conversations --json`",
            found.len()
        ))),
    }
}

/// `2024-04-12` or `2024-04-12T18:00`, UTC milliseconds.
fn instant(text: &str, zone: &TimeZone) -> Result<i64, MemoryError> {
    let wrong = || MemoryError::BadQuery(format!("{text} is no time: write it as 2024-04-12 or 2024-04-12T18:00"));
    let local = match text.parse::<Date>() {
        Ok(day) if !text.contains('T') => day.at(0, 0, 0, 0),
        _ => text.parse().map_err(|_| wrong())?,
    };
    Ok(local.to_zoned(zone.clone()).map_err(|_| wrong())?.timestamp().as_millisecond())
}

/// Writes a file that is not there yet, readable by its owner alone.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), MemoryError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|e| MemoryError::Home(format!("{} could not be written: {e}", path.display())))
}
