//! Imports that run while the window goes on: started, watched, paused, stopped.

use crate::{ImportOptions, Memory, MemoryError, Watch, hold};
use evoke_message::{Job, JobState, Receipt, Stage, Stages, Trouble};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// The jobs of this session, oldest first.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<Vec<Arc<Running>>>);

struct Running {
    id: u64,
    names: Vec<String>,
    watch: Watch,
    outcome: Mutex<Outcome>,
}

#[derive(Default)]
struct Outcome {
    receipt: Option<Receipt>,
    trouble: Option<Trouble>,
    ended: bool,
}

impl Memory {
    /// Starts an import and comes back at once.
    pub fn start_import(&self, paths: Vec<PathBuf>, options: ImportOptions) -> Result<Job, MemoryError> {
        self.writer()?;
        let names = paths.iter().map(|p| p.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect();
        let job = self.0.jobs.add(names);
        let (memory, running) = (self.clone(), job.clone());
        tokio::spawn(async move {
            let outcome = memory.save(&paths, &options, &running.watch).await;
            let saved = outcome.is_ok();
            running.saved(outcome);
            if saved {
                running.finished(memory.finish_import(&options, &running.watch).await);
            }
        });
        Ok(job.told())
    }

    /// Goes on in the background with what an earlier session left: cut-off imports, unread messages.
    pub async fn start_resume(&self) -> Result<Option<Job>, MemoryError> {
        if !self.writes() || (self.interrupted().await? == 0 && !self.waits().await? && !self.building()) {
            return Ok(None);
        }
        let job = self.0.jobs.add(vec!["Going on where Evoke was closed".into()]);
        let (memory, running) = (self.clone(), job.clone());
        tokio::spawn(async move {
            let outcome = memory.resume(false, &running.watch).await;
            if let Ok(receipts) = &outcome {
                hold(&running.outcome).receipt = receipts.last().cloned();
            }
            running.finished(outcome.map(|_| ()));
        });
        Ok(Some(job.told()))
    }

    pub fn jobs(&self) -> Vec<Job> {
        hold(&self.0.jobs.0).iter().map(|j| j.told()).collect()
    }

    /// The watch of a job, to pause, resume or stop it.
    pub fn watch(&self, job: u64) -> Result<Watch, MemoryError> {
        let jobs = hold(&self.0.jobs.0);
        let found = jobs.iter().find(|j| j.id == job);
        found.map(|j| j.watch.clone()).ok_or_else(|| MemoryError::NotFound(format!("there is no job {job}")))
    }
}

impl Jobs {
    fn add(&self, names: Vec<String>) -> Arc<Running> {
        let mut jobs = hold(&self.0);
        let job = Running { id: jobs.len() as u64 + 1, names, watch: Watch::default(), outcome: Mutex::default() };
        job.watch.report(Stage::Reading, 0, 0);
        let job = Arc::new(job);
        jobs.push(job.clone());
        job
    }
}

impl Running {
    fn saved(&self, outcome: Result<Receipt, MemoryError>) {
        let mut now = hold(&self.outcome);
        match outcome {
            Ok(receipt) => now.receipt = Some(receipt),
            Err(error) => *now = Outcome { trouble: Some(error.trouble()), ended: true, receipt: None },
        }
    }

    fn finished(&self, outcome: Result<(), MemoryError>) {
        let mut now = hold(&self.outcome);
        now.trouble = outcome.err().map(|e| e.trouble());
        now.ended = true;
    }

    fn told(&self) -> Job {
        let outcome = hold(&self.outcome);
        let state = match (&outcome.trouble, outcome.ended) {
            (Some(_), _) => JobState::Failed,
            (None, true) if self.watch.stopped() => JobState::Stopped,
            (None, true) => JobState::Done,
            (None, false) if self.watch.paused() => JobState::Paused,
            (None, false) => JobState::Running,
        };
        let start = Stages { stage: Stage::Reading, done: 0, total: 0, rate: 0.0, remaining_s: None };
        Job {
            id: self.id,
            names: self.names.clone(),
            state,
            progress: self.watch.progress().unwrap_or(start),
            receipt: outcome.receipt.clone(),
            trouble: outcome.trouble.clone(),
        }
    }
}
