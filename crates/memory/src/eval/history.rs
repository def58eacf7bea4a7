//! A history with questions, read from JSON Lines (gzip or plain), and written as an export.

use crate::MemoryError;
use anyhow::Context;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::json;
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

#[derive(Clone, Debug, Deserialize)]
pub struct History {
    pub history_id: String,
    #[serde(default)]
    pub dataset: String,
    pub turns: Vec<Turn>,
    pub queries: Vec<Asked>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Turn {
    pub id: String,
    /// ISO 8601 without a zone; may be empty.
    #[serde(default)]
    pub ts: String,
    #[serde(default)]
    pub session: String,
    pub speaker: String,
    pub text: String,
}

/// One question.
#[derive(Clone, Debug, Deserialize)]
pub struct Asked {
    pub id: String,
    pub text: String,
    #[serde(default)]
    pub evidence: Vec<String>,
    #[serde(default)]
    pub category: String,
    #[serde(default)]
    pub ts: Option<String>,
    /// Only turns up to and with this one may be searched.
    #[serde(default)]
    pub asked_after: Option<String>,
    /// The history does not answer it.
    #[serde(default)]
    pub abstain: bool,
}

/// A pause between sessions without times, and between turns of one, in milliseconds.
const SESSION: i64 = 12 * 3_600_000;
const TURN: i64 = 1_000;
/// When a history without any times begins: 2020-01-01.
const START: i64 = 1_577_836_800_000;

/// The histories of a file, one at a time.
pub fn histories(path: &Path) -> Result<impl Iterator<Item = Result<History, MemoryError>>, MemoryError> {
    let open = || File::open(path).with_context(|| format!("{} could not be opened", path.display()));
    let mut magic = [0; 2];
    let zipped = open()?.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    let plain: Box<dyn Read> = if zipped { Box::new(GzDecoder::new(open()?)) } else { Box::new(open()?) };
    let name = path.display().to_string();
    let lines = BufReader::new(plain).lines().enumerate();
    Ok(lines.filter(|(_, l)| l.as_ref().map_or(true, |l| !l.trim().is_empty())).map(move |(at, line)| {
        let line = line.with_context(|| format!("{name} is cut or damaged at line {}", at + 1))?;
        Ok(serde_json::from_str(&line).with_context(|| format!("{name}, line {}, is not a history", at + 1))?)
    }))
}

impl Turn {
    pub(super) fn session_title(&self) -> String {
        format!("session {}", self.session)
    }
}

impl Asked {
    pub(super) fn time(&self) -> Option<i64> {
        self.ts.as_deref().and_then(instant)
    }
}

impl History {
    /// Milliseconds of every turn: as given, but never before or with the turn before it, since a
    /// session's turns may share one time and their order must hold.
    pub fn times(&self) -> Vec<i64> {
        let mut times: Vec<i64> = Vec::with_capacity(self.turns.len());
        let mut session = None;
        for turn in &self.turns {
            let pause = if session == Some(&turn.session) { TURN } else { SESSION };
            let least = times.last().map(|t| t + TURN);
            let guess = times.last().map_or(START, |t| t + pause);
            let time = instant(&turn.ts).unwrap_or(guess);
            times.push(least.map_or(time, |least| time.max(least)));
            session = Some(&turn.session);
        }
        times
    }

    /// A person and an assistant, or people.
    fn with_assistant(&self) -> bool {
        self.turns.iter().all(|t| matches!(t.speaker.as_str(), "user" | "assistant" | "human"))
    }

    /// Writes the history as an export of a format that people import: conversations with an
    /// assistant as Claude's, talk between people as Telegram's; a session is a conversation.
    pub(super) fn write_export(&self, folder: &Path) -> Result<PathBuf, MemoryError> {
        let times = self.times();
        let mut sessions: Vec<(&str, Vec<usize>)> = Vec::new();
        for (i, turn) in self.turns.iter().enumerate() {
            match sessions.iter_mut().find(|(s, _)| *s == turn.session) {
                Some((_, turns)) => turns.push(i),
                None => sessions.push((&turn.session, vec![i])),
            }
        }
        let (name, text) = if self.with_assistant() {
            ("conversations.json", self.as_claude(&sessions, &times))
        } else {
            ("result.json", self.as_telegram(&sessions, &times))
        };
        std::fs::create_dir_all(folder).with_context(|| format!("{} could not be made", folder.display()))?;
        let path = folder.join(name);
        std::fs::write(&path, text.to_string()).with_context(|| format!("{} could not be written", path.display()))?;
        Ok(path)
    }

    fn as_telegram(&self, sessions: &[(&str, Vec<usize>)], times: &[i64]) -> serde_json::Value {
        let message = |i: usize| {
            let (turn, time) = (&self.turns[i], times[i]);
            json!({"id": i + 1, "type": "message", "date": iso(time).trim_end_matches('Z'),
                   "date_unixtime": (time / 1000).to_string(), "from": turn.speaker,
                   "from_id": format!("user_{}", turn.speaker), "text": turn.text})
        };
        let chats: Vec<_> = sessions
            .iter()
            .enumerate()
            .map(|(n, (_, turns))| {
                json!({"name": self.turns[turns[0]].session_title(), "type": "personal_chat", "id": n + 1,
                       "messages": turns.iter().map(|i| message(*i)).collect::<Vec<_>>()})
            })
            .collect();
        json!({"chats": {"about": "", "list": chats}})
    }

    fn as_claude(&self, sessions: &[(&str, Vec<usize>)], times: &[i64]) -> serde_json::Value {
        let message = |i: usize| {
            let turn = &self.turns[i];
            let sender = if turn.speaker == "assistant" { "assistant" } else { "human" };
            json!({"uuid": format!("turn-{i}"), "sender": sender, "text": turn.text, "created_at": iso(times[i])})
        };
        let conversation = |(_, turns): &(&str, Vec<usize>)| {
            let title = self.turns[turns[0]].session_title();
            json!({"uuid": title, "name": title, "created_at": iso(times[turns[0]]),
                   "chat_messages": turns.iter().map(|i| message(*i)).collect::<Vec<_>>()})
        };
        sessions.iter().map(conversation).collect()
    }
}

fn instant(text: &str) -> Option<i64> {
    let local: jiff::civil::DateTime = text
        .parse()
        .or_else(|_| text.parse::<jiff::civil::Date>().map(|d| d.at(0, 0, 0, 0)))
        .or_else(|_| text.trim_end_matches('Z').parse())
        .ok()?;
    local.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp().as_millisecond())
}

fn iso(time: i64) -> String {
    jiff::Timestamp::from_millisecond(time).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_the_order_of_turns() {
        let turn = |ts: &str, session: &str| Turn {
            id: String::new(),
            ts: ts.into(),
            session: session.into(),
            speaker: "a".into(),
            text: "x".into(),
        };
        let turns =
            vec![turn("2023-05-08T13:56", "1"), turn("2023-05-08T13:56", "1"), turn("", "2"), turn("2023-05-08", "3")];
        let history = History { history_id: "h".into(), dataset: String::new(), turns, queries: vec![] };
        let times = history.times();
        assert!(times.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(times[2] - times[1], SESSION);
    }
}
