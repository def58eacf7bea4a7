//! Pictures and uploads of a ChatGPT export: from the pointer in a message to the file beside it.
//! Newer exports name the files by their id and keep the real names in a list of their own.

use crate::{export::Export, json};
use evoke_message::Attachment;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
};

/// Largest list of names that is read.
const NAMES: u64 = 64 << 20;

/// Files of the export by name.
#[derive(Default)]
pub(super) struct Assets {
    paths: BTreeMap<String, String>,
    real_names: HashMap<String, String>,
}

impl Assets {
    pub(super) fn of(export: &Export) -> Self {
        let mut assets = Self::default();
        for (i, file) in export.files().iter().enumerate() {
            if file.file_name().starts_with("file") {
                assets.paths.insert(file.file_name().to_owned(), file.path.clone());
            }
            if file.file_name() == "conversation_asset_file_names.json" {
                assets.real_names = names(export, i).unwrap_or_default();
            }
        }
        assets
    }

    /// The attachments of a message: its list of uploads, and the pictures among its parts.
    pub(super) fn attached(&self, message: &Value) -> Vec<Attachment> {
        let list =
            |pointer: &str| message.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let mut found: Vec<(String, Attachment)> = Vec::new();
        for upload in list("/metadata/attachments") {
            let id = text(upload, "file_id").or_else(|| text(upload, "id")).unwrap_or_default();
            let attachment = self.attachment(
                &id,
                text(upload, "name"),
                text(upload, "mime_type").or_else(|| text(upload, "mimeType")),
            );
            found.push((id, attachment));
        }
        for part in list("/content/parts") {
            let nested = part.get("audio_asset_pointer").or_else(|| part.get("video_container_asset_pointer"));
            let pointer = text(part, "asset_pointer")
                .or_else(|| nested.and_then(|p| text(p, "asset_pointer").or_else(|| p.as_str().map(str::to_owned))));
            let Some(pointer) = pointer else { continue };
            let id = pointer.rsplit("://").next().unwrap_or_default().to_owned();
            if !found.iter().any(|(known, _)| *known == id) {
                let attachment = self.attachment(&id, None, None);
                found.push((id, attachment));
            }
        }
        found.into_iter().map(|(_, attachment)| attachment).collect()
    }

    fn attachment(&self, id: &str, name: Option<String>, mime: Option<String>) -> Attachment {
        let path = self.path(id);
        let file_name = path.as_ref().and_then(|p| p.rsplit('/').next());
        let name = name
            .or_else(|| self.real_names.get(&format!("{id}.dat")).cloned())
            .or_else(|| file_name.map(str::to_owned))
            .unwrap_or_else(|| id.to_owned());
        let missing = path.is_none().then(|| "not in this export".to_owned());
        Attachment { name, mime, path, missing }
    }

    /// `file-abc` is the file `file-abc`, `file-abc.png` or `file-abc-holiday.png`.
    fn path(&self, id: &str) -> Option<String> {
        let (name, path) = self.paths.range(id.to_owned()..).next()?;
        let rest = name.strip_prefix(id).filter(|_| !id.is_empty())?;
        (rest.is_empty() || rest.starts_with(['-', '.', '_'])).then(|| path.clone())
    }
}

fn names(export: &Export, file: usize) -> Option<HashMap<String, String>> {
    let mut bytes = Vec::new();
    export.open(file).ok()?.take(NAMES).read_to_end(&mut bytes).ok()?;
    json::parse(&bytes).ok().map(|(names, _)| names)
}
