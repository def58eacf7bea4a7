//! All doors give the same: library, terminal, and the JSON that the window speaks.

use crate::archive;
use evoke_memory::{
    MemoryError,
    message::{
        Call, Duplicate, Forgotten, Found, PersonPage, PersonRow, Provenance, Query, Receipt, Reply, Suggestion,
        WatchedRow, WhoIsMe,
    },
};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The terminal's program, beside this one. `npm test` builds it.
fn evoke() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let path = here.parent().unwrap().parent().unwrap().join("evoke");
    assert!(path.exists(), "{} is missing: run `cargo build --workspace --bins`", path.display());
    path
}

pub(crate) fn terminal(home: &Path, args: &[&str]) -> Output {
    let base = ["--home", home.to_str().unwrap(), "--key-file", "--zone", "UTC"];
    Command::new(evoke()).args(base).args(args).output().unwrap()
}

/// What `evoke stdio` answers to one call of somebody whose home folder is `account`.
pub(crate) fn ask(home: &Path, account: &Path, call: &Value) -> Value {
    let mut child = Command::new(evoke())
        .args(["--home", home.to_str().unwrap(), "--key-file", "stdio"])
        .env("HOME", account)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{call}").unwrap();
    serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap()
}

fn same(a: &Found, b: &Found) {
    let of =
        |f: &Found| f.hits.iter().map(|h| (h.message.id, h.snippet.clone(), h.score.to_bits())).collect::<Vec<_>>();
    assert_eq!(of(a), of(b));
    assert_eq!((a.messages, a.conversations, &a.facets), (b.messages, b.conversations, &b.facets));
}

#[tokio::test(flavor = "multi_thread")]
async fn library_terminal_and_window_find_the_same() {
    let (folder, memory) = archive::fresh().await;
    let home = folder.path().join("home");
    let lines = [
        (0, "Ana", "the plumber was called Herrera, he was quick"),
        (3, "Jonas", "thanks! did he fix the boiler too?"),
        (9, "Ana", "no, only the sink"),
        (5_000, "Jonas", "we postpone the trip to September"),
    ];
    let path = archive::chat(folder.path(), "doors", &lines);
    archive::import(&memory, &[path]).await;
    for text in ["who fixed the sink", "trip from:jonas", "postponed journey", "nothing-like-this from:nobody"] {
        let query = Query { text: text.to_owned(), ..Query::default() };
        let library = memory.search(&query).await.unwrap();
        let out = terminal(&home, &["--json", "search", text, "--limit", "30"]);
        assert_eq!(out.status.code(), Some(i32::from(library.hits.is_empty())), "{text}");
        same(&library, &serde_json::from_slice(&out.stdout).unwrap());
        let Reply::Found(window) = memory.call(Call::Search { query }).await.unwrap() else { panic!("not hits") };
        same(&library, &window);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stdio_speaks_the_calls_of_the_window() {
    let (folder, memory) = archive::fresh().await;
    let home = folder.path().join("home");
    archive::import(&memory, &[archive::chat(folder.path(), "stdio", &[(0, "Ana", "hello there")])]).await;
    drop(memory);
    let mut child = Command::new(evoke())
        .args(["--home", home.to_str().unwrap(), "--key-file", "stdio"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for line in [
        json!({"id": 1, "call": {"call": "status"}}),
        json!({"id": 2, "call": {"call": "nonsense"}}),
        json!({"id": 3, "call": {"call": "day", "date": "2023-05-01", "sources": []}}),
    ] {
        writeln!(stdin, "{line}").unwrap();
    }
    drop(stdin);
    let out = child.wait_with_output().unwrap();
    let answers: Vec<Value> =
        String::from_utf8(out.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let by_id = |id: Value| answers.iter().find(|a| a["id"] == id).unwrap();
    assert_eq!(by_id(json!(1))["ok"]["value"]["archive"]["messages"], 1);
    assert_eq!(by_id(json!(1))["ok"]["value"]["network"]["blocked"], cfg!(target_os = "linux"));
    assert_eq!(by_id(Value::Null)["error"]["kind"], "bad_query");
    assert_eq!(by_id(json!(3))["ok"]["value"]["clusters"][0]["line"], "hello there");
}

/// What the terminal answers, as the type that docs/json.md names.
fn answer<T: serde::de::DeserializeOwned>(home: &Path, args: &[&str]) -> T {
    let mut all = vec!["--json"];
    all.extend(args);
    let out = terminal(home, &all);
    serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{args:?}: {e}: {}", String::from_utf8_lossy(&out.stdout)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_answers_in_the_forms_of_the_window() {
    let (folder, memory) = archive::fresh().await;
    let home = folder.path().join("home");
    let lines = [(0, "Ana", "the lease"), (1, "Jonas", "is signed")];
    archive::import(&memory, &[archive::chat(folder.path(), "Ana", &lines)]).await;
    let ana = memory.people_called("Ana")[0].to_string();
    drop(memory);
    let asked: Vec<WhoIsMe> = answer(&home, &["people", "me"]);
    assert_eq!(asked[0].guesses[0].person.name, "Jonas");
    let people: Vec<PersonRow> = answer(&home, &["people", "me", "Jonas"]);
    assert!(people.iter().any(|p| p.me && p.name == "Jonas"));
    assert!(answer::<Vec<WhoIsMe>>(&home, &["people", "me"]).is_empty());
    let before: Value = answer(&home, &["home", "--digest"]);
    let merged: PersonRow = answer(&home, &["people", "merge", "Jonas", "Ana"]);
    assert_eq!((merged.me, merged.messages), (true, 2));
    assert_eq!(answer::<Vec<PersonRow>>(&home, &["people", "split", &ana]).len(), 2);
    assert_eq!(answer::<Value>(&home, &["home", "--digest"]), before);
    assert_eq!(answer::<PersonPage>(&home, &["people", "show", "ana"]).identities.len(), 1);
    assert!(answer::<Vec<Suggestion>>(&home, &["people", "suggest"]).is_empty());
    assert_eq!(answer::<Vec<Receipt>>(&home, &["imports"]).len(), 1);
    let file = folder.path().join("lost.csv");
    let exported: Value = answer(&home, &["imports", "export", "1", file.to_str().unwrap()]);
    assert_eq!((&exported["records"], file.exists()), (&json!(0), true));
    assert!(answer::<Vec<Duplicate>>(&home, &["duplicates", "list"]).is_empty());
    let found: Found = answer(&home, &["search", "lease"]);
    let id = found.hits[0].message.id.to_string();
    assert_eq!(answer::<Vec<Provenance>>(&home, &["duplicates", "seen", &id]).len(), 1);
    assert!(answer::<Vec<WatchedRow>>(&home, &["watch", "list"]).is_empty());
    let zoned: Value = answer(&home, &["sources", "zone", "telegram", "Europe/Berlin"]);
    assert_eq!(zoned["moved"], 0, "its times have a zone");
    assert!(!answer::<Forgotten>(&home, &["imports", "undo", "1", "--dry-run"]).done);
    assert!(answer::<Forgotten>(&home, &["imports", "undo", "1"]).done);
    assert_eq!(terminal(&home, &["imports", "undo", "1"]).status.code(), Some(3));
    assert_eq!(terminal(&home, &["search", "lease"]).status.code(), Some(1));
}

#[test]
fn exit_codes_say_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let unknown = folder.path().join("x.bin");
    std::fs::write(&unknown, [0u8, 1, 2, 3, 255].repeat(100)).unwrap();
    for (args, code) in [
        (vec!["search", "x"], 3),
        (vec!["import", "/nowhere/at/all"], 3),
        (vec!["import", unknown.to_str().unwrap()], 4),
        (vec!["no-such-command"], 2),
        (vec!["--zone", "Mars/Olympus", "status"], 2),
        (vec!["home"], 0),
    ] {
        let out =
            Command::new(evoke()).args(["--home", home.to_str().unwrap(), "--key-file"]).args(&args).output().unwrap();
        assert_eq!(out.status.code(), Some(code), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_writes_and_others_read() {
    let (folder, memory) = archive::fresh().await;
    let home = folder.path().join("home");
    let first = archive::chat(folder.path(), "first", &[(0, "Ana", "a lighthouse")]);
    archive::import(&memory, &[first]).await;
    let second = evoke_memory::Memory::open(archive::options(&home, true)).await.unwrap();
    assert!(!second.writes());
    let refused = second.import(&[folder.path().join("first.json")], &Default::default(), &Default::default()).await;
    assert!(matches!(refused, Err(MemoryError::Busy)));
    assert_eq!(archive::find(&second, "lighthouse").await.messages, 1);
    let other = archive::chat(folder.path(), "another", &[(0, "Ana", "a windmill")]);
    archive::import(&memory, &[other]).await;
    assert_eq!(
        archive::texts(&archive::find(&second, "windmill").await)[0],
        "a windmill",
        "a reader sees what the writer added"
    );
}
