//! Twenty kills at random moments: nothing committed is lost, nothing is doubled, and it goes on.

use crate::archive;
use evoke_memory::{Memory, Watch};
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

const HOME: &str = "EVOKE_TEST_KILLS_HOME";
const EXPORT: &str = "EVOKE_TEST_KILLS_EXPORT";
const KILLS: u64 = 20;
const MESSAGES: i64 = 1_500;

fn child(home: &Path, export: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::inside", "--ignored"])
        .env(HOME, home)
        .env(EXPORT, export)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Imports, or goes on with what was cut off, until done or killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by killed_anywhere_it_goes_on"]
async fn inside() {
    let (Some(home), Some(export)) = (std::env::var_os(HOME), std::env::var_os(EXPORT)) else { return };
    let memory = archive::open(Path::new(&home)).await;
    if memory.receipts().await.unwrap().is_empty() {
        archive::import(&memory, &[export.into()]).await;
    } else {
        memory.resume(false, &Watch::default()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let words = ["kettle", "harbour", "violin", "postcard", "ladder", "almond"];
    let texts: Vec<String> = (0..MESSAGES)
        .map(|i| format!("message {i} about the {} and the {}", words[(i % 6) as usize], words[(i / 6 % 6) as usize]))
        .collect();
    let lines: Vec<(i64, &str, &str)> = texts
        .iter()
        .enumerate()
        .map(|(i, t)| (i as i64 * 7, if i % 3 == 0 { "Ana" } else { "Jonas" }, t.as_str()))
        .collect();
    let export = archive::chat(folder.path(), "long", &lines);
    let mut committed = 0;
    let mut finished = 0;
    for kill in 0..KILLS {
        let mut running = child(&home, &export);
        // Spread over opening, saving, embedding and tidying; not random, so that a failure repeats.
        thread::sleep(Duration::from_millis(150 + kill * 997 % 4_000));
        running.kill().unwrap();
        finished += u64::from(running.wait().unwrap().success());
        if let Ok(memory) = Memory::open(archive::options(&home, false)).await {
            let status = memory.status().await.unwrap();
            assert!(
                status.archive.messages >= committed,
                "kill {kill}: {} of {committed} left",
                status.archive.messages
            );
            committed = status.archive.messages;
        }
    }
    println!("{finished} of {KILLS} runs ended before they were killed");
    assert!(child(&home, &export).wait().unwrap().success());

    let memory = archive::open(&home).await;
    let status = memory.status().await.unwrap();
    assert_eq!(status.archive.messages, MESSAGES as u64);
    assert_eq!((status.index.percent, status.index.coverage.embedded), (100, MESSAGES as u64));
    let receipts = memory.receipts().await.unwrap();
    assert_eq!(receipts.len(), 1);
    assert!(receipts[0].adds_up());
    assert_eq!((receipts[0].seen, receipts[0].added), (MESSAGES as u64, MESSAGES as u64));
    for i in [0, 700, MESSAGES - 1] {
        let found = archive::find(&memory, &format!("\"message {i} about\"")).await;
        assert_eq!(found.messages, 1, "message {i}");
    }
}
