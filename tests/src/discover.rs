//! What is on this computer: found by names, sizes and dates in a prepared home folder.

use evoke_memory::{discover, message::Discovered};
use serde_json::json;
use std::path::Path;

fn put(home: &Path, path: &str, bytes: usize) {
    let path = home.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, vec![b'x'; bytes]).unwrap();
}

#[test]
fn a_home_folder_is_looked_through_without_opening_anything() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    for (path, bytes) in [
        (".claude/projects/-home-me-app/0a.jsonl", 100),
        (".claude/projects/-home-me-app/0b.jsonl", 50),
        (".claude/projects/-home-me-app/readme.txt", 5),
        (".codex/sessions/2026/11/01/rollout-2026-11-01T10-00-00-0a.jsonl", 70),
        ("Library/Messages/chat.db", 4_096),
        ("Notes/Life/.obsidian/app.json", 2),
        ("Notes/Life/Ana.md", 10),
        ("Notes/Life/daily/2026-11-01.md", 20),
        ("Notes/Life/picture.png", 999),
        ("Notes/graph/logseq/config.edn", 1),
        ("Notes/graph/pages/a.md", 7),
        ("Downloads/WhatsApp Chat - Ana.zip", 300),
        ("Downloads/Telegram Desktop/ChatExport_2026-11-01/result.json", 400),
        ("Downloads/signal-export-2026-11-01-10-00-00/main.jsonl", 80),
        ("Downloads/holiday.zip", 1_000),
        ("Downloads/takeout-20261101T000000Z-001.zip", 2_000),
        ("node_modules/x/.obsidian/app.json", 1),
        ("node_modules/x/a.md", 1),
    ] {
        put(home, path, bytes);
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(home, home.join("Notes/Life/round")).unwrap();
    let found = discover(home);
    let mut told: Vec<(&str, &str, u64, u64, bool)> = found
        .iter()
        .map(|d| {
            let name = Path::new(&d.path).file_name().unwrap().to_str().unwrap();
            (d.source.as_str(), name, d.files, d.bytes, d.watchable)
        })
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("", "takeout-20261101T000000Z-001.zip", 1, 2_000, false),
            ("claude_code", "projects", 2, 150, true),
            ("codex", "sessions", 1, 70, true),
            ("imessage", "chat.db", 1, 4_096, false),
            ("markdown", "Life", 2, 30, true),
            ("markdown", "graph", 1, 7, true),
            ("signal", "signal-export-2026-11-01-10-00-00", 1, 80, false),
            ("telegram", "ChatExport_2026-11-01", 1, 400, false),
            ("whatsapp", "WhatsApp Chat - Ana.zip", 1, 300, false),
        ]
    );
    assert!(found.iter().all(|d| d.first.is_some() && d.first <= d.last && !d.more));

    let out = crate::doors::terminal(&home.join("no-archive"), &["--json", "discover", "--in", home.to_str().unwrap()]);
    let terminal: Vec<Discovered> = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(terminal, found, "the terminal says the same, without an archive");
    assert!(!home.join("no-archive").exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_imported_already_says_so_until_it_is_undone() {
    let (folder, memory) = crate::archive::fresh().await;
    let home = folder.path();
    let (exports, other) =
        (home.join("Downloads/ChatExport_2026-11-01"), "Downloads/ChatExport_2026-11-02/result.json");
    put(home, other, 10);
    std::fs::create_dir_all(&exports).unwrap();
    crate::archive::chat(&exports, "result", &[(0, "Ana", "the lease")]);
    let receipt = crate::archive::import(&memory, &[exports]).await;
    drop(memory);
    let imported = || {
        let answer = crate::doors::ask(&home.join("home"), home, &json!({"id": 1, "call": {"call": "discover"}}));
        let found: Vec<Discovered> = serde_json::from_value(answer["ok"]["value"].clone()).unwrap();
        let of = |name: &str| found.iter().find(|d| d.path.ends_with(name)).unwrap().imported;
        (of("ChatExport_2026-11-01"), of("ChatExport_2026-11-02"))
    };
    let (once, never) = imported();
    assert_eq!((once, never), (Some(receipt.started), None));
    crate::doors::terminal(&home.join("home"), &["imports", "undo", "1"]);
    assert_eq!(imported(), (None, None));
}
