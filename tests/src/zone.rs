//! Times without a zone: kept as the clock showed them, read in a zone that can be changed later.

use crate::archive::{self, find};
use evoke_memory::{ImportOptions, Watch};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// A WhatsApp chat that touches both changes of the clock of 2024 in Europe.
fn chat(folder: &Path) -> PathBuf {
    let path = folder.join("WhatsApp Chat with Ana.txt");
    let text = "15/01/2024, 23:30 - Ana: late in winter\n\
                31/03/2024, 02:30 - Bo: in an hour that is skipped\n\
                31/03/2024, 03:10 - Ana: after the gap\n\
                27/10/2024, 02:50 - Bo: in the hour that comes twice\n\
                27/10/2024, 02:10 - Ana: in it again\n";
    std::fs::write(&path, text).unwrap();
    path
}

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_is_changed_without_a_new_import() {
    let (folder, memory) = archive::fresh().await;
    let path = chat(folder.path());
    let receipt = archive::import(&memory, std::slice::from_ref(&path)).await;
    assert_eq!((receipt.wall_times, receipt.zone.as_str()), (5, "UTC"));
    let times = async |expected: [&str; 5]| {
        let found = find(&memory, "source:whatsapp").await;
        let mut times: Vec<i64> = found.hits.iter().map(|h| h.message.time).collect();
        times.sort_unstable();
        assert_eq!(times, expected.map(at), "{expected:?}");
    };
    let utc = [
        "2024-01-15T23:30:00Z",
        "2024-03-31T02:30:00Z",
        "2024-03-31T03:10:00Z",
        "2024-10-27T02:10:00Z",
        "2024-10-27T02:50:00Z",
    ];
    times(utc).await;
    assert_eq!(memory.set_zone("whatsapp", "Europe/Berlin", &Watch::default()).await.unwrap(), 5);
    // 02:30 was skipped; 02:50 came first in summer time, and 02:10 after it in winter time.
    times([
        "2024-01-15T22:30:00Z",
        "2024-03-31T01:10:00Z",
        "2024-03-31T01:30:00Z",
        "2024-10-27T00:50:00Z",
        "2024-10-27T01:10:00Z",
    ])
    .await;
    let day = memory.day("2024-01-15", &[]).await.unwrap();
    assert_eq!((day.hours[22].count, day.hours[23].count), (1, 0), "the timeline follows");
    assert_eq!(memory.status().await.unwrap().index.percent, 100, "and meaning is whole");
    memory.set_zone("whatsapp", "America/Sao_Paulo", &Watch::default()).await.unwrap();
    assert_eq!(find(&memory, "on:2024-01-16").await.messages, 1, "search follows");
    assert_eq!(find(&memory, "on:2024-01-15").await.messages, 0);

    let again = archive::import(&memory, &[path]).await;
    assert_eq!((again.added, again.updated, again.zone.as_str()), (0, 0, "America/Sao_Paulo"));
    memory.set_zone("whatsapp", "UTC", &Watch::default()).await.unwrap();
    times(utc).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_may_be_said_with_the_import_and_a_wrong_one_is_refused() {
    let (folder, memory) = archive::fresh().await;
    let path = chat(folder.path());
    let berlin = ImportOptions { zone: Some("Europe/Berlin".into()), ..ImportOptions::default() };
    let receipt = memory.import(std::slice::from_ref(&path), &berlin, &Watch::default()).await.unwrap();
    assert_eq!(receipt.zone, "Europe/Berlin");
    assert_eq!(find(&memory, "winter").await.hits[0].message.time, at("2024-01-15T22:30:00Z"));
    // Read in another zone it is the same message.
    let again = archive::import(&memory, &[path]).await;
    assert_eq!((again.added, again.updated, again.duplicate), (0, 0, 5));
    for (source, zone, kind) in [("whatsapp", "Mars/Olympus", "bad_query"), ("slack", "UTC", "not_found")] {
        let error = memory.set_zone(source, zone, &Watch::default()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{source} {zone}");
    }
}
