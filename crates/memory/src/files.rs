//! Attached files: their bytes, from the copy in the vault where one was wanted, else from where the export lies.
//!
//! Copies are sealed files beside the database, one an attachment; they go with their message. What documents say
//! is part of the message and nothing of this file's.

use crate::{Memory, MemoryError, Watch, receipts};
use base64::{Engine, prelude::BASE64_STANDARD};
use evoke_import::{AttachedFiles, attached_file};
use evoke_message::{Attachment, FileShown, Has, Message, MessageId};
use evoke_store::VaultError;
use std::{
    collections::{BTreeSet, HashSet},
    path::PathBuf,
};

/// Folder of the copies in the Home.
const FOLDER: &str = "files";
/// Largest file that is copied or handed out, in bytes.
const LARGEST: u64 = 64 << 20;

impl Memory {
    /// The file attached to a message, number `file` from 0, as a page shows it.
    ///
    /// # Errors
    /// As [`Memory::file_bytes`].
    pub async fn file(&self, message: MessageId, file: usize) -> Result<FileShown, MemoryError> {
        let Attachment { name, mime, .. } = self.attachment(message, file).await?;
        let bytes = BASE64_STANDARD.encode(self.file_bytes(message, file).await?);
        Ok(FileShown { name, mime, bytes })
    }

    async fn attachment(&self, message: MessageId, file: usize) -> Result<Attachment, MemoryError> {
        let found = self.store().messages(&[message]).await?.into_iter().next();
        let found = found.ok_or_else(|| MemoryError::NotFound("this message is not in the archive".into()))?;
        let attachment = found.attachments.into_iter().nth(file);
        attachment.ok_or_else(|| MemoryError::NotFound("this message has no such file".into()))
    }

    /// The bytes of the file attached to a message, number `file` from 0.
    ///
    /// # Errors
    /// `NotFound` with the reason where the file is no longer there, or never was.
    pub async fn file_bytes(&self, message: MessageId, file: usize) -> Result<Vec<u8>, MemoryError> {
        let attachment = self.attachment(message, file).await?;
        if let Some(copy) = self.0.home.vault.read_sealed(&place(message, file))? {
            return Ok(copy);
        }
        let Some(path) = attachment.path.clone() else {
            let why = attachment.missing.as_deref().unwrap_or("the export does not say where it is");
            return Err(MemoryError::NotFound(format!("{} cannot be shown: {why}", attachment.name)));
        };
        let exports = self.exports_of(message).await?;
        let searched: Vec<String> = exports.iter().map(|path| path.display().to_string()).collect();
        let look = move || {
            let mut trouble = None;
            for export in exports {
                match attached_file(&export, &path, LARGEST) {
                    Ok(Some(bytes)) => return Ok(bytes),
                    Ok(None) => {}
                    Err(error) => trouble = Some(error.to_string()),
                }
            }
            Err(trouble)
        };
        let found = tokio::task::spawn_blocking(look).await.map_err(anyhow::Error::from)?;
        found.map_err(|trouble| {
            MemoryError::NotFound(format!(
                "{} is no longer where it was imported from ({}){}. What was read of it is kept; put the export back there to see the file",
                attachment.name,
                searched.join(", "),
                trouble.map_or(String::new(), |trouble| format!(": {trouble}")),
            ))
        })
    }

    /// Where the exports lay that had a message, the latest import first.
    async fn exports_of(&self, message: MessageId) -> Result<Vec<PathBuf>, MemoryError> {
        let numbers: BTreeSet<u64> = self.provenances(message).await?.into_iter().map(|p| p.import).collect();
        let rows = self.store().imports().await?;
        let mut paths = Vec::new();
        for row in rows.iter().rev().filter(|row| numbers.contains(&(row.number as u64))) {
            paths.extend(receipts::record(row)?.paths);
        }
        Ok(paths)
    }

    /// Copies the pictures and recordings of these messages into the vault, from the exports at `paths`. What is
    /// copied already is left. Returns notes for the receipt.
    pub(crate) async fn copy_files(
        &self,
        messages: impl Iterator<Item = MessageId>,
        paths: &[PathBuf],
        watch: &Watch,
    ) -> Result<Vec<String>, MemoryError> {
        let vault = self.0.home.vault.clone();
        let there: HashSet<String> = vault.sealed_in(FOLDER)?.into_iter().collect();
        let mut wanted: Vec<(String, String)> = Vec::new();
        let ids: Vec<MessageId> = {
            // A copy's files are shown with the message that stands for it.
            let catalogue = self.catalogue();
            let shown = |id: MessageId| catalogue.hidden(id).map_or(id, |hidden| hidden.of);
            messages.map(shown).collect::<HashSet<_>>().into_iter().collect()
        };
        for part in ids.chunks(2_000) {
            for message in self.store().messages(part).await? {
                wanted.extend(to_copy(&message).filter(|(name, _)| !there.contains(name)));
            }
        }
        wanted.sort();
        let (paths, watch) = (paths.to_vec(), watch.clone());
        let copy = move || -> Result<(u64, u64), VaultError> {
            let exports: Vec<AttachedFiles> = paths.iter().filter_map(|path| AttachedFiles::open(path).ok()).collect();
            let (mut copied, mut failed) = (0, 0);
            for (name, path) in wanted {
                if watch.stopped() {
                    break;
                }
                let found = exports.iter().find_map(|export| export.read(&path, LARGEST).ok().flatten());
                match found {
                    Some(bytes) => vault.write_sealed(&format!("{FOLDER}/{name}"), &bytes)?,
                    None => failed += 1,
                }
                copied += 1;
            }
            Ok((copied - failed, failed))
        };
        let (copied, failed) = tokio::task::spawn_blocking(copy).await.map_err(anyhow::Error::from)??;
        let notes = [
            (copied, format!("Pictures and recordings copied into the archive: {copied}.")),
            (failed, format!("Pictures and recordings that could not be copied: {failed}.")),
        ];
        Ok(notes.into_iter().filter(|(count, _)| *count > 0).map(|(_, note)| note).collect())
    }

    /// Takes away the copies of messages that go.
    pub(crate) fn remove_copies(&self, messages: &HashSet<MessageId>) -> Result<(), MemoryError> {
        let vault = &self.0.home.vault;
        for name in vault.sealed_in(FOLDER)? {
            let of = name.split_once('-').and_then(|(id, _)| id.parse::<MessageId>().ok());
            if of.is_some_and(|id| messages.contains(&id)) {
                vault.remove_sealed(&format!("{FOLDER}/{name}"))?;
            }
        }
        Ok(())
    }
}

fn name(message: MessageId, file: usize) -> String {
    format!("{message}-{file}")
}

fn place(message: MessageId, file: usize) -> String {
    format!("{FOLDER}/{}", name(message, file))
}

/// A picture or a recording that lies in the export.
pub(crate) fn may_be_copied(attachment: &Attachment) -> bool {
    attachment.path.is_some() && matches!(Has::of(attachment), Has::Image | Has::Voice)
}

/// The copy's name and the path in the export, of each picture and recording that is there.
fn to_copy(message: &Message) -> impl Iterator<Item = (String, String)> {
    let files = message.attachments.iter().enumerate().filter(|(_, a)| may_be_copied(a));
    files.filter_map(|(file, a)| Some((name(message.id, file), a.path.clone()?)))
}
