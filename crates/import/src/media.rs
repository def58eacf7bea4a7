//! Where in an export the files lie that its messages name.

use crate::{export::Export, mime};
use evoke_message::Attachment;
use std::collections::HashMap;

pub(crate) const NOT_HERE: &str = "not in this export";

/// The files of an export by their names.
pub(crate) struct Media<'a> {
    by_name: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Media<'a> {
    pub(crate) fn new(export: &'a Export) -> Self {
        let mut by_name: HashMap<&str, Vec<&str>> = HashMap::new();
        for file in export.files() {
            by_name.entry(file.file_name()).or_default().push(&file.path);
        }
        Self { by_name }
    }

    /// The path of the file that a message calls `stated`, a path or the end of one, or that lies beside
    /// the message's own file `from`.
    pub(crate) fn find(&self, stated: &str, from: &str) -> Option<&'a str> {
        let stated = stated.trim_start_matches("./").trim_start_matches("../").replace('\\', "/");
        let stated = crate::export::nfc(&stated);
        let same_name = self.by_name.get(stated.rsplit('/').next()?)?;
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let fits = |path: &&&str| {
            path.strip_suffix(stated.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        let beside = |path: &&&str| fits(path) && path.starts_with(folder);
        same_name.iter().find(beside).or_else(|| same_name.iter().find(fits)).copied()
    }

    /// A file that a message names by its path or web address.
    pub(crate) fn attachment(&self, name: &str, stated: &str, from: &str) -> Attachment {
        let plain = stated.split(['?', '#']).next().unwrap_or_default();
        let local = if is_address(stated) { None } else { self.find(stated, from).or_else(|| self.find(plain, from)) };
        let name = match name {
            "" => plain.rsplit('/').next().filter(|n| !n.is_empty()).unwrap_or("file"),
            name => name,
        };
        attachment(name, None, local.map(str::to_owned), NOT_HERE)
    }
}

pub(crate) fn is_address(stated: &str) -> bool {
    stated.split_once("://").is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphabetic()))
}

/// `why` is the reason where there is no file.
pub(crate) fn attachment(name: &str, mime: Option<&str>, path: Option<String>, why: &str) -> Attachment {
    let mime = mime.filter(|m| !m.is_empty()).map(str::to_owned).or_else(|| mime::of_name(name));
    let missing = path.is_none().then(|| why.to_owned());
    Attachment { name: name.to_owned(), mime, path, missing }
}
