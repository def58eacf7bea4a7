//! Watching long work: it reports where it is, and asks whether to go on.

use crate::hold;
use evoke_message::{Stage, Stages};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::sync::Notify;

/// Shared between the work and whoever watches it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Watch(Arc<Shared>);

#[derive(Default)]
struct Shared {
    now: Mutex<Option<Progress>>,
    stopped: AtomicBool,
    paused: AtomicBool,
    woken: Notify,
}

struct Progress {
    stages: Stages,
    began: Instant,
}

impl Watch {
    /// Where the work is; none before it began.
    pub fn progress(&self) -> Option<Stages> {
        hold(&self.0.now).as_ref().map(|p| p.stages.clone())
    }

    /// Asks the work to end after what it is writing; what is saved stays.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
        self.resume();
    }

    pub fn pause(&self) {
        self.0.paused.store(true, Ordering::Relaxed);
    }

    pub fn resume(&self) {
        self.0.paused.store(false, Ordering::Relaxed);
        self.0.woken.notify_waiters();
    }

    pub fn paused(&self) -> bool {
        self.0.paused.load(Ordering::Relaxed)
    }

    pub fn stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Relaxed)
    }

    /// Waits while paused; true where the work is to go on.
    pub(crate) async fn go_on(&self) -> bool {
        loop {
            let woken = self.0.woken.notified();
            if !self.paused() || self.stopped() {
                return !self.stopped();
            }
            woken.await;
        }
    }

    /// Says where the work is. The remaining time only falls within a stage.
    pub(crate) fn report(&self, stage: Stage, done: u64, total: u64) {
        let mut now = hold(&self.0.now);
        let before = now.take().filter(|p| p.stages.stage == stage);
        let began = before.as_ref().map_or_else(Instant::now, |p| p.began);
        let seconds = began.elapsed().as_secs_f32();
        let rate = if seconds > 0.0 { done as f32 / seconds } else { 0.0 };
        let left = (rate > 0.0 && total >= done && seconds > 1.0).then(|| (total - done) as f32 / rate);
        let least = before.and_then(|p| p.stages.remaining_s);
        let remaining_s = match (left, least) {
            (Some(left), Some(least)) => Some(left.min(least)),
            (left, least) => left.or(least),
        };
        *now = Some(Progress { stages: Stages { stage, done, total, rate, remaining_s }, began });
    }
}
