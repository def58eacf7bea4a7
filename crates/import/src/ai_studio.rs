//! Google AI Studio (formats.md §5): prompts in the Drive folder `Google AI Studio`, often without an
//! ending, mostly without times.

use crate::{
    Format, ImportError, Options,
    agent::{attached, moment, words},
    ai::Said,
    ai_chats::{self, Entry, Shape, Taken, aside, pieces, role_of},
    export::Export,
    json, mime,
    out::Out,
    values::{array, text},
};
use evoke_message::{Attachment, Kind, Part, Role};
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "ai_studio",
    label: "Google AI Studio",
    kind: Kind::Ai,
    how_to_export: "In Google Drive, download the folder Google AI Studio; or on takeout.google.com choose Drive. Choose the zip.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    source: FORMAT.key,
    assistant: "Gemini",
    lists: &[],
    bare: false,
    named_by_file: true,
    is_conversation,
    take,
};

fn is_conversation(keys: &[&str]) -> bool {
    keys.contains(&"chunkedPrompt") || keys.contains(&"runSettings")
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let named = |name: &str| mime::of_name(name).is_none_or(|m| m == "application/json");
    let candidates = export.unclaimed().filter(|(_, f)| named(f.file_name()) && !f.path.ends_with(".jsonl"));
    let fits = |head: &[u8]| {
        head.trim_ascii_start().starts_with(b"{") && is_conversation(&json::keys(head.trim_ascii_start()))
    };
    let files: Vec<usize> =
        candidates.map(|(i, _)| i).filter(|i| export.head(*i).is_ok_and(|head| fits(&head))).collect();
    (!files.is_empty()).then_some(files)
}

/// A file is a conversation; its name is its title where it says no other.
fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    ai_chats::read(&SHAPE, export, files, options, out)
}

fn take(value: &Value) -> Option<Taken> {
    let prompt = value.get("chunkedPrompt")?;
    let mut entries: Vec<Entry> = Vec::new();
    let instruction = value.get("systemInstruction").map(said_in).unwrap_or_default();
    if !instruction.trim().is_empty() {
        let said = pieces(Vec::new(), Role::System, &instruction, Vec::new());
        entries.push(Entry { sender: crate::ai::me(), ..Entry::new(&SHAPE, "system", &Value::Null, said) });
    }
    entries.extend(array(prompt, "chunks").iter().map(chunk));
    let pending = array(prompt, "pendingInputs").iter().filter(|input| !said_in(input).trim().is_empty());
    entries.extend(pending.map(chunk));
    let title =
        [text(value, "displayName"), text(value, "title")].into_iter().find(|t| !t.is_empty()).unwrap_or_default();
    Some(Taken {
        key: text(value, "id").to_owned(),
        title: title.to_owned(),
        created: value.get("createTime").and_then(moment),
        updated: value.get("updateTime").and_then(moment),
        entries,
        current: None,
    })
}

/// The text of a chunk, in one piece or in parts.
fn said_in(chunk: &Value) -> String {
    match chunk {
        Value::String(text) => text.clone(),
        _ if !text(chunk, "text").is_empty() => text(chunk, "text").to_owned(),
        _ => array(chunk, "parts")
            .iter()
            .filter(|part| part.get("thought").and_then(Value::as_bool) != Some(true))
            .map(words)
            .collect(),
    }
}

fn chunk(chunk: &Value) -> Entry {
    let role =
        role_of([text(chunk, "role"), text(chunk, "author")].into_iter().find(|r| !r.is_empty()).unwrap_or_default());
    let said = said_in(chunk);
    let mut asides = Vec::new();
    if let Some(code) = chunk.get("executableCode") {
        asides.extend(aside(Part::Tool, &[text(code, "language"), text(code, "code")].join("\n")));
    }
    if let Some(result) = chunk.get("codeExecutionResult") {
        let output = [text(result, "output"), text(result, "outcome")].into_iter().find(|t| !t.is_empty());
        asides.extend(aside(Part::Tool, output.unwrap_or_default()));
    }
    let said = match chunk.get("isThought").and_then(Value::as_bool) == Some(true) {
        true => {
            asides.extend(aside(Part::Thinking, &said));
            pieces(asides, Role::Assistant, "", files(chunk))
        }
        false => pieces(asides, role, &said, files(chunk)),
    };
    let said = match said {
        Said::Skipped(_) if !text(chunk, "errorMessage").is_empty() => Said::Skipped("a notice by the program".into()),
        said => said,
    };
    let name = match role {
        Role::Human => "user",
        Role::System => "system",
        _ => "model",
    };
    Entry {
        id: text(chunk, "id").to_owned(),
        ..Entry::new(&SHAPE, name, chunk.get("createTime").unwrap_or(&Value::Null), said)
    }
}

/// Documents and pictures, which lie in Drive or inside the prompt.
fn files(chunk: &Value) -> Vec<Attachment> {
    let mut found = Vec::new();
    for (key, value) in chunk.as_object().into_iter().flatten() {
        let (kind, missing) = match key.as_str() {
            "driveDocument" | "driveImage" | "driveVideo" | "driveAudio" => {
                (key.trim_start_matches("drive"), "kept in Google Drive")
            }
            "inlineFile" | "inlineImage" | "inlineData" | "inlineAudio" | "inlineVideo" => {
                ("file", "kept inside the prompt's file")
            }
            "youtubeVideo" => ("YouTube", "kept on YouTube"),
            _ => continue,
        };
        let named =
            [text(value, "name"), text(value, "displayName"), text(value, "id")].into_iter().find(|n| !n.is_empty());
        found.push(attached(named.unwrap_or(kind), Some(text(value, "mimeType")), missing));
    }
    found
}
