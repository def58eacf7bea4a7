//! The object store under the database: every file sealed on the way in, opened on the way out, sizes
//! as the reader sees them. Atomic publishing, staging and fsync are the local file system's; what is in
//! the files is left to the callers.
//!
//! A file's path is not bound to its content: a rename or a copy (a hard link) needs no new sealing. So
//! somebody who can write the disk could exchange two whole files or put back an old one; inside a file
//! nothing can be changed unnoticed.

use crate::VaultError;
use crate::form::{self, CHUNK, Sealer};
use crate::recent::{Open, Recent, inode};
use crate::upload::SealedUpload;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use std::fmt;
use std::io::ErrorKind;
use std::ops::Range;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

const NAME: &str = "EncryptedStore";

/// Bytes of a long read that are held in memory at once (a multiple of the chunk).
const PIECE: u64 = 128 * CHUNK as u64;

/// Sealed files under one folder. Cheap to clone.
#[derive(Clone)]
pub struct EncryptedStore {
    inner: LocalFileSystem,
    recent: Arc<Recent>,
}

impl EncryptedStore {
    pub(crate) fn new(inner: LocalFileSystem, recent: Recent) -> Self {
        EncryptedStore { inner, recent: Arc::new(recent) }
    }
}

#[async_trait]
impl ObjectStore for EncryptedStore {
    /// Atomic. With `PutMode::Create`, of several writers (in any process) exactly one succeeds.
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let (key, place) = (self.recent.key(), location.clone());
        let sealed = blocking(move || {
            let mut sealer = Sealer::new(&key, "").map_err(|error| store_error(&place, error))?;
            payload
                .iter()
                .try_for_each(|bytes| sealer.push(bytes))
                .and_then(|()| sealer.finish())
                .map_err(|error| store_error(&place, error))
        });
        self.inner.put_opts(location, sealed.await?.into(), opts).await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let sealer = Sealer::new(&self.recent.key(), "").map_err(|error| store_error(location, error))?;
        let inner = self.inner.put_multipart_opts(location, opts).await?;
        Ok(Box::new(SealedUpload::new(location.clone(), inner, sealer)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path = self.inner.path_to_filesystem(location)?;
        let (recent, location) = (Arc::clone(&self.recent), location.clone());
        blocking(move || {
            let open = recent.open(path).map_err(|error| store_error(&location, error))?;
            let meta = meta_of(&open, &location);
            options.check_preconditions(&meta)?;
            let range = match options.range {
                Some(range) => range.as_range(meta.size).map_err(generic)?,
                None => 0..meta.size,
            };
            let payload = match options.head {
                true => stream::empty().boxed(),
                false => Reading { recent, open, location, rest: range.clone() }.stream()?,
            };
            Ok(GetResult {
                payload: GetResultPayload::Stream(payload),
                meta,
                range,
                attributes: Default::default(),
                extensions: Default::default(),
            })
        })
        .await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let path = self.inner.path_to_filesystem(location)?;
        let (recent, location, ranges) = (Arc::clone(&self.recent), location.clone(), ranges.to_vec());
        blocking(move || {
            recent
                .open(path)
                .and_then(|open| recent.ranges(&open, &ranges))
                .map_err(|error| store_error(&location, error))
        })
        .await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix).map_ok(plain_size).boxed()
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset).map_ok(plain_size).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut found = self.inner.list_with_delimiter(prefix).await?;
        found.objects = found.objects.into_iter().map(plain_size).collect();
        Ok(found)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

impl fmt::Display for EncryptedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}({})", self.inner)
    }
}

impl fmt::Debug for EncryptedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A long read under way. The file stays open meanwhile, so a deletion does not disturb the reader.
struct Reading {
    recent: Arc<Recent>,
    open: Open,
    location: Path,
    rest: Range<u64>,
}

impl Reading {
    /// The next piece. Pieces end where chunks end, so that no chunk is opened twice.
    fn step(mut self) -> Result<(Bytes, Self)> {
        let start = self.rest.start;
        let end = self.rest.end.min(start / CHUNK as u64 * CHUNK as u64 + PIECE);
        let piece = start..end;
        let found = self.recent.ranges(&self.open, std::slice::from_ref(&piece));
        let bytes = found.map_err(|error| store_error(&self.location, error))?.pop().unwrap_or_default();
        self.rest.start = end;
        Ok((bytes, self))
    }

    /// The first piece is read now, so that a short read changes threads once; the others when asked for.
    fn stream(self) -> Result<BoxStream<'static, Result<Bytes>>> {
        let (first, rest) = self.step()?;
        let others = stream::try_unfold(rest, |reading| async move {
            match reading.rest.is_empty() {
                true => Ok(None),
                false => blocking(move || reading.step().map(Some)).await,
            }
        });
        Ok(stream::once(futures::future::ready(Ok(first))).chain(others).boxed())
    }
}

/// The length is proved, not only computed: see `SealedFile::open`.
fn meta_of(open: &Open, location: &Path) -> ObjectMeta {
    let modified = open.metadata.modified().unwrap_or(UNIX_EPOCH);
    let micros = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let (inode, sealed) = (inode(&open.metadata), open.metadata.len());
    ObjectMeta {
        location: location.clone(),
        last_modified: modified.into(),
        size: open.sealed.length(),
        // The local store's form, so that lists and writes give the same tag.
        e_tag: Some(format!("\"{inode:x}-{micros:x}-{sealed:x}\"")),
        version: None,
    }
}

/// By arithmetic alone: a list opens no file. What cannot be a sealed file is listed as empty, so that
/// the database can still clean it up; reading it fails.
fn plain_size(meta: ObjectMeta) -> ObjectMeta {
    ObjectMeta { size: form::plain_length(meta.size).unwrap_or(0), ..meta }
}

/// Files are read and sealed off the async threads; outside a runtime, on the caller's.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await?,
        Err(_) => work(),
    }
}

pub(crate) fn store_error(location: &Path, error: VaultError) -> Error {
    let path = location.to_string();
    let kind = match &error {
        VaultError::Io { source, .. } => Some(source.kind()),
        _ => None,
    };
    let source = error.into();
    match kind {
        Some(ErrorKind::NotFound) => Error::NotFound { path, source },
        Some(ErrorKind::PermissionDenied) => Error::PermissionDenied { path, source },
        _ => Error::Generic { store: NAME, source },
    }
}

fn generic(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Generic { store: NAME, source: error.into() }
}
