//! A file much larger than memory may be: one line of JSON, read from a zip, in bounded memory.
//! A binary of its own, for it looks at the peak of its whole process.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(target_os = "linux")]

use evoke_import::{Item, Limits, Options, read};
use std::{
    fs,
    io::{Read, Write},
    ops::ControlFlow,
    path::Path,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// A ChatGPT array of `n` conversations of 100 messages each, 40 kB a conversation; returns its bytes.
fn write_export(path: &Path, n: usize) -> u64 {
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .large_file(true);
    zip.start_file("conversations.json", options).unwrap();
    let mut bytes = 0;
    for i in 0..n {
        let mut one = if i == 0 { "[".to_owned() } else { ",".to_owned() };
        one += &format!(r#"{{"title":"c{i}","create_time":1700000000.5,"mapping":{{"#);
        for m in 0..100 {
            let comma = if m == 0 { "" } else { "," };
            let parent = if m == 0 { "null".to_owned() } else { format!("\"n{}\"", m - 1) };
            one += &format!(
                r#"{comma}"n{m}":{{"id":"n{m}","parent":{parent},"children":["n{}"],"message":{{"id":"n{m}","author":{{"role":"user"}},"create_time":17000{m:05}.25,"content":{{"content_type":"text","parts":["{i} {m} {}"]}}}}}}"#,
                m + 1,
                "words ".repeat(30),
            );
        }
        one += &format!(r#"}},"current_node":"n99","conversation_id":"conversation-{i}"}}"#);
        bytes += one.len() as u64;
        zip.write_all(one.as_bytes()).unwrap();
    }
    zip.write_all(b"]").unwrap();
    zip.finish().unwrap();
    bytes
}

/// Largest resident memory of this process so far, in MiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// The same in a tar in gzip, behind a file that nobody reads.
fn packed_anew(zip: &Path, tgz: &Path) {
    let mut zip = zip::ZipArchive::new(fs::File::open(zip).unwrap()).unwrap();
    let mut json = zip.by_index(0).unwrap();
    let gz = flate2::write::GzEncoder::new(fs::File::create(tgz).unwrap(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gz);
    for (name, size) in [("a/photo.jpg", 5 << 20), ("a/conversations.json", json.size())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        match name {
            "a/photo.jpg" => tar.append_data(&mut header, name, std::io::repeat(7).take(size)).unwrap(),
            _ => tar.append_data(&mut header, name, &mut json).unwrap(),
        }
    }
    tar.into_inner().unwrap().finish().unwrap();
}

/// Reads an export of `n` conversations; its size and the growth of the peak, in MiB.
fn growth(n: usize, tar: bool) -> (u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut path = folder.path().join("export.zip");
    let bytes = write_export(&path, n);
    if tar {
        packed_anew(&path, &folder.path().join("export.tgz"));
        path = folder.path().join("export.tgz");
    }
    let limits = Limits { ratio: 1_000, ..Limits::default() };
    let options = Options { zone: jiff::tz::TimeZone::UTC, now: 0, day_first: None, limits };
    let before = peak();
    let mut messages = 0;
    let mut sink = |item| {
        messages += usize::from(matches!(item, Item::Message(_)));
        assert!(!matches!(item, Item::Failed(_) | Item::Skipped { .. }), "{item:?}");
        ControlFlow::Continue(())
    };
    read(&path, &options, &mut sink, &mut |_, _| ()).unwrap();
    assert_eq!(messages, n * 100);
    (bytes >> 20, peak() - before)
}

#[test]
fn a_large_file_is_never_held() {
    let (size, grown) = growth(700, false);
    assert!(size >= 20, "{size}");
    assert!(grown < 8, "{size} MiB of JSON took {grown} MiB");
    // In a tar in gzip the states of the decoder are kept, at most 22 MB of them.
    let (size, grown) = growth(700, true);
    assert!(grown < 24, "{size} MiB of JSON in a tgz took {grown} MiB");
}

#[test]
#[ignore = "300 MB take a while; `cargo test --test memory -- --ignored --nocapture` shows the numbers"]
fn three_hundred_megabytes() {
    let started = std::time::Instant::now();
    let (size, grown) = growth(9_000, false);
    let took = started.elapsed();
    assert!(size >= 300 && grown < 16, "{size} MiB of JSON took {grown} MiB");
    std::io::stderr()
        .write_all(format!("{size} MiB, peak grew by {grown} MiB, {took:.1?} with writing it\n").as_bytes())
        .unwrap();
}
