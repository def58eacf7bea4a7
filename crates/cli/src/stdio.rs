//! JSON lines: `{"id": 1, "call": {…}}` in, `{"id": 1, "ok": {…}}` or `{"id": 1, "error": {…}}` out.
//!
//! The same calls that the window sends. It serves the window's pages in a plain browser, for tests.

use evoke_memory::{
    Memory, MemoryError, Options,
    message::{Call, Reply, Trouble},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::process::ExitCode;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    sync::mpsc,
};

#[derive(Deserialize)]
struct Line {
    id: Value,
    call: Call,
}

/// Serves until the input ends. A Home under a passphrase is opened by the call `unlock`.
pub(crate) async fn run(mut options: Options) -> Result<ExitCode, MemoryError> {
    let mut opened = open(&options).await;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let (answers, mut to_write) = mpsc::channel::<Value>(64);
    let writing = tokio::spawn(async move {
        let mut out = tokio::io::stdout();
        while let Some(answer) = to_write.recv().await {
            out.write_all(format!("{answer}\n").as_bytes()).await?;
            out.flush().await?;
        }
        Ok::<(), std::io::Error>(())
    });
    while let Some(line) = lines.next_line().await.map_err(anyhow::Error::from)? {
        let answers = answers.clone();
        match serde_json::from_str::<Line>(&line) {
            Err(error) => {
                let trouble = json!({ "kind": "bad_query", "message": error.to_string() });
                let _ = answers.send(json!({ "id": null, "error": trouble })).await;
            }
            Ok(Line { id, call }) => {
                if let Call::Unlock { passphrase } = &call
                    && opened.is_err()
                {
                    options.passphrase = Some(passphrase.clone());
                    opened = open(&options).await;
                }
                let opened = opened.clone();
                // Each call on its own: a long one keeps nobody waiting.
                tokio::spawn(async move {
                    let answer = match answer(&opened, call).await {
                        Ok(reply) => json!({ "id": id, "ok": reply }),
                        Err(trouble) => json!({ "id": id, "error": trouble }),
                    };
                    // Nobody listens any more: the program is ending.
                    let _ = answers.send(answer).await;
                });
            }
        }
    }
    drop(answers);
    writing.await.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?;
    Ok(ExitCode::SUCCESS)
}

async fn open(options: &Options) -> Result<Memory, Trouble> {
    let memory = Memory::open(options.clone()).await.map_err(|e| e.trouble())?;
    memory.start_resume().await.map_err(|e| e.trouble())?;
    memory.start_keeping_up();
    Ok(memory)
}

async fn answer(opened: &Result<Memory, Trouble>, call: Call) -> Result<Reply, Trouble> {
    let memory = opened.as_ref().map_err(Clone::clone)?;
    memory.call(call).await.map_err(|e| e.trouble())
}
