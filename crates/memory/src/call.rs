//! The JSON contract answered: each call is one method of `Memory`.

use crate::{ImportOptions, Memory, MemoryError, Watch, discover, sample};
use evoke_message::{Call, Discovered, Reply};
use std::path::{Path, PathBuf};

impl Memory {
    /// Answers a call of a door that speaks JSON.
    pub async fn call(&self, call: Call) -> Result<Reply, MemoryError> {
        Ok(match call {
            Call::Status => Reply::Status(self.status().await?),
            Call::Search { query } => Reply::Found(self.search(&query).await?),
            Call::Neighbours { message, before, after } => Reply::Page(self.neighbours(message, before, after).await?),
            Call::Conversation { conversation, at, limit } => {
                Reply::Page(self.conversation(conversation, at, limit).await?)
            }
            Call::Timeline { query, unit, from, until } => {
                Reply::Timeline(self.timeline(query.as_ref(), unit, from, until).await?)
            }
            Call::Day { date, sources } => Reply::Day(self.day(&date, &sources).await?),
            Call::Sources => Reply::Sources(self.sources().await?),
            Call::People => Reply::People(self.people().await?),
            Call::Conversations { source } => Reply::Conversations(self.conversations(source.as_deref()).await?),
            Call::SetMe { people } => {
                self.set_me(&people).await?;
                Reply::Done
            }
            Call::DryRun { paths, zone, day_first } => {
                let options = ImportOptions { zone, day_first, ..ImportOptions::default() };
                Reply::DryRun(self.dry_run(&paths_of(paths), &options).await?)
            }
            Call::Import { paths, zone, again, me, copy_files, day_first } => {
                let options = ImportOptions { zone, again, me, copy_files, day_first, ..ImportOptions::default() };
                Reply::Job(self.start_import(paths_of(paths), options)?)
            }
            Call::Sample => Reply::Job(self.start_import(sample::paths()?, sample::options())?),
            Call::Jobs => Reply::Jobs(self.jobs()),
            Call::Pause { job } => {
                self.watch(job)?.pause();
                Reply::Done
            }
            Call::Resume { job } => {
                self.watch(job)?.resume();
                Reply::Done
            }
            Call::Stop { job } => {
                self.watch(job)?.stop();
                Reply::Done
            }
            Call::Receipts => Reply::Receipts(self.receipts().await?),
            Call::ShowImport { import } => Reply::Import(self.show_import(import).await?),
            Call::ExportLost { import, path } => {
                self.export_lost(import, Path::new(&path)).await?;
                Reply::Done
            }
            Call::UndoImport { import } => Reply::Forgotten(self.undo_import(import).await?),
            Call::File { message, file } => Reply::File(self.file(message, file).await?),
            Call::Provenances { message } => Reply::Provenances(self.provenances(message).await?),
            Call::Duplicates => Reply::Duplicates(self.duplicates().await?),
            Call::UndoDuplicate { message } => {
                self.undo_duplicate(message).await?;
                Reply::Done
            }
            Call::SetZone { source, zone } => {
                self.set_zone(&source, &zone, &Watch::default()).await?;
                Reply::Done
            }
            Call::Discover => {
                let mut found = discover_here().await?;
                self.tell_imported(&mut found).await?;
                Reply::Discovered(found)
            }
            Call::Watched => Reply::Watched(self.watched()?),
            Call::AddWatched { path } => {
                self.add_watched(Path::new(&path), &Watch::default()).await?;
                Reply::Watched(self.watched()?)
            }
            Call::RemoveWatched { path } => {
                self.remove_watched(Path::new(&path))?;
                Reply::Watched(self.watched()?)
            }
            Call::Person { .. }
            | Call::SuggestPeople
            | Call::MergePeople { .. }
            | Call::SplitPerson { .. }
            | Call::NotTheSame { .. }
            | Call::WhoIsMe
            | Call::AnswerMe { .. } => self.call_people(call).await?,
            Call::PreviewForget { target } => Reply::Forgotten(self.preview_forget(&target).await?),
            Call::Forget { target } => Reply::Forgotten(self.forget(&target).await?),
            // A door opens the archive before it calls; one that is open needs no key.
            Call::Unlock { .. } => Reply::Done,
        })
    }
}

impl Memory {
    /// The calls about people.
    async fn call_people(&self, call: Call) -> Result<Reply, MemoryError> {
        Ok(match call {
            Call::Person { person } => Reply::Person(self.person(person).await?),
            Call::SuggestPeople => Reply::Suggestions(self.suggest_people().await?),
            Call::MergePeople { people } => {
                self.merge_people(&people).await?;
                Reply::People(self.people().await?)
            }
            Call::SplitPerson { identity } => {
                self.split_person(identity).await?;
                Reply::People(self.people().await?)
            }
            Call::NotTheSame { people } => {
                self.not_the_same(&people).await?;
                Reply::Done
            }
            Call::WhoIsMe => Reply::WhoIsMe(self.who_is_me().await?),
            Call::AnswerMe { import, people } => {
                self.answer_me(import, &people).await?;
                Reply::Done
            }
            _ => Reply::Done,
        })
    }
}

/// Looks through the home folder of this account, on a thread of its own.
async fn discover_here() -> Result<Vec<Discovered>, MemoryError> {
    let home = crate::home::account_folder()?;
    Ok(tokio::task::spawn_blocking(move || discover(&home)).await.map_err(anyhow::Error::from)?)
}

fn paths_of(paths: Vec<String>) -> Vec<PathBuf> {
    paths.into_iter().map(PathBuf::from).collect()
}
