//! `evoke model`: which models there are, which is in use, going from one to another.

use crate::{
    args::Model,
    run::{say, watched},
    show,
};
use evoke_memory::{Memory, MemoryError};
use std::process::ExitCode;

impl Model {
    /// Whether it changes the archive.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self, Model::List | Model::Info { .. })
    }
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
            let name = memory.add_model(&folder)?;
            say(json, &serde_json::json!({ "model": name }), || {
                println!("{name} can be used: `evoke model use {name}`");
            });
        }
        Model::Drop { name } => {
            memory.drop_model(&name).await?;
            say(json, &serde_json::json!({ "dropped": name }), || {
                println!("What {name} made of the archive is gone; its folder is where it was.");
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}
