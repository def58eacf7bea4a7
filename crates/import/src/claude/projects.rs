//! Projects of a Claude.ai export (`projects.json`, newer `projects/<id>.json`): what a person told Claude to know and
//! to do in each, and the texts they gave it. What Claude itself remembers (`memories.json`) is no message.

use super::FORMAT;
use crate::{
    Flow, ImportError, Options, ai,
    export::Export,
    json::{self, Found, Opening, Rules, Walk, Want, hunt},
    out::Out,
    record::Thread,
    text::utf8,
    time,
    values::{array, flag, text},
};
use evoke_message::{Conversation, ConversationKind, Message};
use serde_json::Value;

fn is_project(keys: &[&str]) -> bool {
    keys.contains(&"uuid") && keys.contains(&"prompt_template")
}

fn is_memory(keys: &[&str]) -> bool {
    keys.contains(&"conversations_memory") || keys.contains(&"project_memories")
}

/// Files of projects and memories.
pub(super) fn detect(export: &Export) -> Vec<usize> {
    export.json_files(|head| hunt(head, |keys| is_project(keys) || is_memory(keys)))
}

/// True for a file that [`detect`] would name.
pub(super) fn is_own(export: &Export, file: usize) -> bool {
    export.head(file).is_ok_and(|head| hunt(&head, |keys| is_project(keys) || is_memory(keys)))
}

pub(super) fn read(export: &Export, file: usize, options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let want = |inside: Option<bool>, _: &str, opening| match (inside, opening) {
        (None, Opening::Array) => Want::Enter(true),
        (None, Opening::Object) | (Some(true), _) => Want::Whole(false),
        _ => Want::Skip,
    };
    let looks = |keys: &[&str]| is_project(keys).then_some(true);
    let input = utf8(export.open(file)?).map_err(|e| export.trouble(file, e))?;
    let mut walk = Walk::new(input, options.limits.record, Rules { want: &want, looks: &looks });
    let (mut number, mut lost) = (0, 0);
    for found in walk.by_ref() {
        let parsed = match found {
            Found::Value(_, piece) => json::parse::<Value>(&piece.bytes).map_err(|e| e.to_string()),
            Found::Broken { reason, .. } => Err(reason.to_owned()),
            Found::TooLong { bytes, .. } => Err(format!("its {} MB are more than Evoke reads", bytes >> 20)),
            Found::Opened(_) | Found::Closed(_) => continue,
        };
        number += 1;
        let flow = match parsed {
            Ok((project, damaged)) => {
                lost += damaged;
                Reading { export, file, options, number }.project(&project, out)
            }
            Err(reason) => out.failed(format!("a project cannot be read ({reason})"), export.place(file, number)),
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    out.file_ended(file, lost, walk.trouble())
}

struct Reading<'a> {
    export: &'a Export,
    file: usize,
    options: &'a Options,
    number: u64,
}

impl Reading<'_> {
    fn project(&self, project: &Value, out: &mut Out) -> Flow {
        let place = || self.export.place(self.file, self.number);
        let uuid = text(project, "uuid");
        if project.get("conversations_memory").or(project.get("project_memories")).is_some() {
            return out.skipped("what Claude remembers, which nobody wrote", place());
        }
        if flag(project, "is_starter_project") {
            return out.skipped("an example project", place());
        }
        let told = [text(project, "description"), text(project, "prompt_template")].map(str::trim);
        let told: Vec<&str> = told.into_iter().filter(|t| !t.is_empty()).collect();
        let docs = array(project, "docs");
        if told.is_empty() && docs.is_empty() {
            return out.skipped("a project without texts", place());
        }
        let thread = Thread::new(FORMAT.key, FORMAT.kind, format!("project {uuid}"));
        let moment = |of: &Value| time::iso(text(of, "created_at"));
        let created = moment(project);
        out.conversation(Conversation {
            participants: vec!["Me".to_owned()],
            created,
            updated: time::iso(text(project, "updated_at")),
            ..thread.conversation(ConversationKind::Ai, ai::first_words(text(project, "name")))
        })?;
        let mut order = 0;
        let mut put = |native: &str, of: &Value, words: String| {
            order += 1;
            out.message(Message {
                time: moment(of).or(created).unwrap_or(self.options.now),
                time_original: text(of, "created_at").to_owned(),
                text: words,
                order: order - 1,
                ..thread.message(thread.message_id(native), ai::me(), place())
            })
        };
        if !told.is_empty() {
            put("instructions", project, told.join("\n\n"))?;
        }
        for doc in docs {
            let (name, content) = (text(doc, "filename"), text(doc, "content").trim());
            let native = [text(doc, "uuid"), name].into_iter().find(|id| !id.is_empty()).unwrap_or_default();
            put(native, doc, format!("**{name}**\n\n{content}").trim().to_owned())?;
        }
        Flow::Continue(())
    }
}
