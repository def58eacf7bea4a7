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
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

#[derive(Deserialize)]
struct Line {
    id: Value,
    call: Call,
}

/// Serves until the input ends. A Home under a passphrase is opened by the call `unlock`.
pub(crate) async fn run(mut options: Options) -> Result<ExitCode, MemoryError> {
    let mut opened = open(&options).await;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut out = tokio::io::stdout();
    while let Some(line) = lines.next_line().await.map_err(anyhow::Error::from)? {
        let answer = match serde_json::from_str::<Line>(&line) {
            Err(error) => json!({ "id": null, "error": { "kind": "bad_query", "message": error.to_string() } }),
            Ok(Line { id, call }) => {
                if let Call::Unlock { passphrase } = &call
                    && opened.is_err()
                {
                    options.passphrase = Some(passphrase.clone());
                    opened = open(&options).await;
                }
                match answer(&opened, call).await {
                    Ok(reply) => json!({ "id": id, "ok": reply }),
                    Err(trouble) => json!({ "id": id, "error": trouble }),
                }
            }
        };
        out.write_all(format!("{answer}\n").as_bytes()).await.map_err(anyhow::Error::from)?;
        out.flush().await.map_err(anyhow::Error::from)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn open(options: &Options) -> Result<Memory, Trouble> {
    let memory = Memory::open(options.clone()).await.map_err(|e| e.trouble())?;
    memory.start_resume().await.map_err(|e| e.trouble())?;
    Ok(memory)
}

async fn answer(opened: &Result<Memory, Trouble>, call: Call) -> Result<Reply, Trouble> {
    let memory = opened.as_ref().map_err(Clone::clone)?;
    memory.call(call).await.map_err(|e| e.trouble())
}
