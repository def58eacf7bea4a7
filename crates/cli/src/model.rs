//! `evoke model`: which models there are, which is in use, going from one to another; and what needs no
//! archive: looking at a folder, making a smaller copy, comparing with the reference.

use crate::{
    args::Model,
    run::{say, watched},
    show,
};
use evoke_memory::{Memory, MemoryError, ModelKind, Options, Quantization};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

impl Model {
    /// Whether it changes the archive.
    pub(crate) fn writes(&self) -> bool {
        matches!(self, Model::Use { .. } | Model::Add { .. } | Model::Drop { .. })
    }
}

/// What needs no archive; none where one is needed.
pub(crate) fn without_archive(what: &Model, json: bool, options: &Options) -> Result<Option<ExitCode>, MemoryError> {
    match what {
        Model::Parity { kit } => {
            let report = evoke_memory::parity(kit, options.device)?;
            let figures = report.largest().into_iter().map(|(quantity, largest, allowed)| {
                serde_json::json!({ "quantity": quantity, "largest": largest, "allowed": allowed })
            });
            let value = serde_json::json!({ "passes": report.passes(), "largest": figures.collect::<Vec<_>>() });
            say(json, &value, || println!("{report}"));
            Ok(Some(ExitCode::from(u8::from(!report.passes()))))
        }
        Model::Quantize { folder, to, into } => {
            let into = into.clone().unwrap_or_else(|| beside(folder, to));
            let to: Quantization = to.parse().map_err(MemoryError::BadQuery)?;
            let made = evoke_memory::quantize(folder, to, &into)?;
            say(json, &serde_json::json!({ "folder": into, "before": made.before, "after": made.after }), || {
                println!("{made}");
            });
            Ok(Some(ExitCode::SUCCESS))
        }
        Model::Info { name } if Path::new(name).is_dir() => {
            let about = evoke_memory::check_model(Path::new(name))?;
            let value = serde_json::json!({
                "name": about.name, "dims": about.dims, "parameters": about.parameters, "bytes": about.bytes,
                "licence": about.licence, "missing": about.missing,
            });
            say(json, &value, || println!("{about}"));
            Ok(Some(ExitCode::from(if about.loads() { 0 } else { 4 })))
        }
        _ => Ok(None),
    }
}

/// `models/evo` quantised to q8_0 goes to `models/evo-q8_0`.
fn beside(folder: &Path, to: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!("{name}-{}", to.to_lowercase()))
}

pub(crate) async fn run(what: Model, json: bool, memory: &Memory) -> Result<ExitCode, MemoryError> {
    match what {
        Model::List => {
            let all = memory.models().await?;
            say(json, &all, || all.iter().for_each(show::model));
        }
        Model::Info { name } => {
            let all = memory.models().await?;
            let found = all.iter().find(|m| m.name == name);
            let found = found.ok_or_else(|| MemoryError::NotFound(format!("there is no model {name}")))?;
            say(json, &found, || show::model(found));
            if let Some(card) = memory.model_card(&name)?.filter(|_| !json) {
                println!("\n{card}");
            }
        }
        Model::Use { name } => {
            let done = watched(json, |watch| {
                let name = name.clone();
                async move { memory.use_model(&name, &watch).await }
            })
            .await?;
            let sentence = match done {
                true => format!("{name} is in use."),
                false => {
                    format!("{name} has not read everything yet; the old model is in use. `evoke resume` goes on.")
                }
            };
            say(json, &serde_json::json!({ "model": name, "in_use": done }), || println!("{sentence}"));
        }
        Model::Add { folder } => {
            let about = memory.add_model(&folder)?;
            let name = &about.name;
            let how = match about.kind {
                ModelKind::Evolvable => format!("`evoke search --rerank 32 --with {name} …`"),
                _ => format!("`evoke model use {name}`"),
            };
            say(json, &serde_json::json!({ "model": name }), || println!("{about}\n{name} can be used: {how}"));
        }
        Model::Quantize { .. } | Model::Parity { .. } => {}
        Model::Drop { name } => {
            memory.drop_model(&name).await?;
            say(json, &serde_json::json!({ "dropped": name }), || {
                println!("What {name} made of the archive is gone; its folder is where it was.");
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}
