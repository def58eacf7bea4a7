//! Writing a sealed file in parts. Staging and publishing are left to the local store underneath.

use crate::encrypted::{blocking, store_error};
use crate::form::Sealer;
use async_trait::async_trait;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Parts are queued in the order of the calls to `put_part`; whichever part's future runs first seals the
/// part that is first in the queue. So chunks come in order though the futures do not, and the sealing
/// happens off the caller's thread.
pub(crate) struct SealedUpload {
    location: Path,
    line: Arc<Mutex<Line>>,
}

struct Line {
    /// `None` once completed or aborted.
    inner: Option<Box<dyn MultipartUpload>>,
    waiting: VecDeque<PutPayload>,
    /// `None` once the last chunk is sealed or anything failed: nothing can be published after that.
    sealer: Option<Sealer>,
}

impl SealedUpload {
    pub(crate) fn new(location: Path, inner: Box<dyn MultipartUpload>, sealer: Sealer) -> Self {
        let line = Line { inner: Some(inner), waiting: VecDeque::new(), sealer: Some(sealer) };
        SealedUpload { location, line: Arc::new(Mutex::new(line)) }
    }

    /// The upload underneath, once: to complete or abort it.
    fn end(&self) -> Result<Box<dyn MultipartUpload>> {
        let mut line = lock(&self.line);
        line.sealer = None;
        line.inner.take().ok_or_else(|| over(&self.location))
    }

    /// Seals the first part that waits, if one does, and hands it on.
    async fn advance(line: Arc<Mutex<Line>>, location: Path) -> Result<()> {
        let shared = Arc::clone(&line);
        let written = blocking(move || lock(&shared).seal_next(&location)).await?.await;
        if written.is_err() {
            lock(&line).sealer = None;
        }
        written
    }
}

impl Line {
    fn seal_next(&mut self, location: &Path) -> Result<UploadPart> {
        let Some(part) = self.waiting.pop_front() else {
            return Ok(futures::future::ready(Ok(())).boxed());
        };
        let mut sealer = self.sealer.take().ok_or_else(|| over(location))?;
        for bytes in part.iter() {
            sealer.push(bytes).map_err(|error| store_error(location, error))?;
        }
        let sealed = sealer.take();
        self.sealer = Some(sealer);
        Ok(self.inner.as_mut().ok_or_else(|| over(location))?.put_part(sealed.into()))
    }

    fn seal_last(&mut self, location: &Path) -> Result<UploadPart> {
        let sealer = self.sealer.take().ok_or_else(|| over(location))?;
        let sealed = sealer.finish().map_err(|error| store_error(location, error))?;
        Ok(self.inner.as_mut().ok_or_else(|| over(location))?.put_part(sealed.into()))
    }
}

#[async_trait]
impl MultipartUpload for SealedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        lock(&self.line).waiting.push_back(data);
        SealedUpload::advance(Arc::clone(&self.line), self.location.clone()).boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        while !lock(&self.line).waiting.is_empty() {
            SealedUpload::advance(Arc::clone(&self.line), self.location.clone()).await?;
        }
        let (line, location) = (Arc::clone(&self.line), self.location.clone());
        blocking(move || lock(&line).seal_last(&location)).await?.await?;
        self.end()?.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.end()?.abort().await
    }
}

impl fmt::Debug for SealedUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedUpload").field("location", &self.location).finish_non_exhaustive()
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

fn over(location: &Path) -> object_store::Error {
    store_error(location, anyhow::anyhow!("the upload had failed or ended").into())
}
