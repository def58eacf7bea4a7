//! What is on this computer: exports and folders that were found, and those that are kept up to date.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Something that could be imported, told from names, sizes and dates alone: nothing of it was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Discovered {
    /// Key of the format that it looks like; empty where it may hold several.
    pub source: String,
    /// "Obsidian vault", "Claude Code sessions"
    pub label: String,
    pub path: String,
    /// Files that would be read.
    #[ts(type = "number")]
    pub files: u64,
    #[ts(type = "number")]
    pub bytes: u64,
    /// When its files were first and last changed, UTC milliseconds.
    #[ts(type = "number | null")]
    pub first: Option<i64>,
    #[ts(type = "number | null")]
    pub last: Option<i64>,
    /// It changes by itself and can be kept up to date (`evoke watch add`).
    pub watchable: bool,
    /// There were too many files to count them all.
    pub more: bool,
    /// When it, or a folder around it, was imported last, UTC milliseconds. None without an archive to look in.
    #[ts(type = "number | null")]
    pub imported: Option<i64>,
}

/// How a watched folder is kept up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum WatchedKind {
    /// Notes: what is deleted there is deleted here.
    Notes,
    /// Sessions and exports: new and changed files are read; what is deleted there stays here.
    Files,
}

/// A folder that is kept up to date while Evoke runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct WatchedRow {
    pub path: String,
    pub kind: WatchedKind,
    /// The import that holds what came from it.
    #[ts(type = "number")]
    pub import: u64,
    #[ts(type = "number")]
    pub files: u64,
    /// When it was last read, UTC milliseconds.
    #[ts(type = "number | null")]
    pub read: Option<i64>,
    /// Why it could not be read the last time.
    pub trouble: Option<String>,
}
