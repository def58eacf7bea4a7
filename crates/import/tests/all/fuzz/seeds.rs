//! What is damaged: every fixture alone, what is in a zip, and every folder as a whole; and how a case is laid on
//! the disk to be imported.

use super::dice::Dice;
use crate::reading::fixture;
use std::{
    collections::BTreeMap,
    env, fs,
    io::{Cursor, Read, Write},
    path::{Path, PathBuf},
};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// Larger fixtures are left to the tests of their formats.
const LARGEST: usize = 512 << 10;
const MOST_FILES: usize = 40;

pub(super) type Files = Vec<(String, Vec<u8>)>;

/// Files that are imported together.
#[derive(Clone)]
pub(super) struct Seed {
    pub(super) name: String,
    pub(super) files: Files,
    pub(super) form: Form,
}

/// How they are handed over.
#[derive(Clone, PartialEq)]
pub(super) enum Form {
    File,
    Folder,
    /// By its name: an archive is more than a `.zip`.
    Zip(String),
}

impl Seed {
    /// A piece of any file.
    pub(super) fn piece<'a>(seeds: &'a [Self], dice: &mut Dice, longest: usize) -> &'a [u8] {
        let files = &dice.pick(seeds).files;
        let (_, bytes) = dice.pick(files);
        let from = dice.below(bytes.len());
        bytes.get(from..(from + dice.below(longest)).min(bytes.len())).unwrap_or_default()
    }
}

fn files_below(folder: &Path, inside: &str, files: &mut Files) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = format!("{inside}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            files_below(&path, &format!("{name}/"), files);
        } else if !name.ends_with("SOURCES.md") {
            files.push((name, fs::read(&path).unwrap()));
        }
    }
}

pub(super) fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let places = [Some(fixture("")), env::var_os("EVOKE_FUZZ_SAMPLES").map(PathBuf::from)];
    let inside = |place: PathBuf| fs::read_dir(place).unwrap().map(|e| e.unwrap().path());
    let mut folders: Vec<_> = places.into_iter().flatten().flat_map(inside).filter(|p| p.is_dir()).collect();
    folders.sort();
    for folder in folders {
        let group = folder.file_name().unwrap().to_string_lossy().into_owned();
        let mut files = Vec::new();
        if group != "LICENSES" {
            files_below(&folder, "", &mut files);
        }
        files.retain(|(_, bytes)| bytes.len() <= LARGEST);
        for (name, bytes) in &files {
            let seed = |what: &str, form, files| Seed { name: format!("{group}/{name}{what}"), files, form };
            let file_name = name.rsplit('/').next().unwrap().to_owned();
            seeds.push(seed("", Form::File, vec![(file_name.clone(), bytes.clone())]));
            if let Some(inner) = unpacked(bytes) {
                seeds.push(seed("/*", Form::Zip(file_name), inner));
            }
        }
        let mut inner: BTreeMap<String, Files> = BTreeMap::new();
        for (name, bytes) in &files {
            if let Some((top, rest)) = name.split_once('/') {
                inner.entry(top.to_owned()).or_default().push((rest.to_owned(), bytes.clone()));
            }
        }
        inner.insert(String::new(), files);
        for (top, files) in inner {
            if (2..=MOST_FILES).contains(&files.len()) {
                seeds.push(Seed { name: format!("{group}/{top}/"), files, form: Form::Folder });
            }
        }
    }
    seeds
}

/// What is in a zip, as far as it can be read.
pub(super) fn unpacked(bytes: &[u8]) -> Option<Files> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut files = Vec::new();
    for n in 0..zip.len().min(MOST_FILES) {
        let Ok(mut file) = zip.by_index(n) else { continue };
        let (mut bytes, name) = (Vec::new(), file.name().ok()?.into_owned());
        if file.is_file() && (&mut file).take(LARGEST as u64).read_to_end(&mut bytes).is_ok() {
            files.push((name, bytes));
        }
    }
    (!files.is_empty()).then_some(files)
}

/// A zip of what may be in one: names that a writer refuses are left out.
pub(super) fn packed(files: &Files, method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        if zip.start_file(name.as_str(), SimpleFileOptions::default().compression_method(method)).is_ok() {
            zip.write_all(bytes).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

/// Writes a case below `folder`, and says what is to be imported.
pub(super) fn written(case: &Seed, folder: &Path) -> PathBuf {
    match &case.form {
        Form::File => {
            let (name, bytes) = case.files.first().unwrap();
            let path = folder.join(name.rsplit('/').next().unwrap_or(name));
            fs::write(&path, bytes).unwrap();
            path
        }
        Form::Zip(name) => {
            let method = [CompressionMethod::Stored, CompressionMethod::Deflated][case.files.len() % 2];
            fs::write(folder.join(name), packed(&case.files, method)).unwrap();
            folder.join(name)
        }
        Form::Folder => {
            let export = folder.join("export");
            fs::create_dir_all(&export).unwrap();
            for (name, bytes) in &case.files {
                let parts = name.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | ".."));
                let path = parts.fold(export.clone(), |path, part| path.join(part));
                // Names that this disk cannot have.
                if fs::create_dir_all(path.parent().unwrap()).is_ok() {
                    let _ = fs::write(path, bytes);
                }
            }
            export
        }
    }
}
