//! The JSON contract answered: each call is one method of `Memory`.

use crate::{ImportOptions, Memory, MemoryError, sample};
use evoke_message::{Call, Reply};
use std::path::PathBuf;

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
            Call::DryRun { paths, zone } => Reply::DryRun(
                self.dry_run(&paths_of(paths), &ImportOptions { zone, ..ImportOptions::default() }).await?,
            ),
            Call::Import { paths, zone, again } => {
                let options = ImportOptions { zone, again, ..ImportOptions::default() };
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
            Call::PreviewForget { target } => Reply::Forgotten(self.preview_forget(&target).await?),
            Call::Forget { target } => Reply::Forgotten(self.forget(&target).await?),
            // A door opens the archive before it calls; one that is open needs no key.
            Call::Unlock { .. } => Reply::Done,
        })
    }
}

fn paths_of(paths: Vec<String>) -> Vec<PathBuf> {
    paths.into_iter().map(PathBuf::from).collect()
}
