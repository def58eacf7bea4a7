//! The object store does what a plain one does, to the byte.

use crate::{home, text};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions,
};
use proptest::prelude::*;

const CHUNK: usize = 64 * 1024;

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(work)
}

/// Sizes on and around the borders of chunks, and anything between.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        proptest::sample::select(vec![0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 1, 200_000]),
        0..400_000usize,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn reads_are_slices_of_what_was_written(
        size in sizes(),
        part in 1..200_000usize,
        cuts in prop::collection::vec((0.0..1.0f64, 0..150_000u64), 1..12),
    ) {
        let (_root, _vault, store) = home();
        let (plain, whole, parts) = (text(size, 1), Path::from("a/whole"), Path::from("a/parts"));
        let ranges: Vec<_> = cuts.iter().map(|(at, length)| {
            let start = (at * size as f64) as u64;
            start..(start + length).min(size as u64)
        }).collect();
        block(async {
            store.put(&whole, Bytes::from(plain.clone()).into()).await.unwrap();
            let mut upload = store.put_multipart(&parts).await.unwrap();
            for piece in plain.chunks(part) {
                upload.put_part(Bytes::copy_from_slice(piece).into()).await.unwrap();
            }
            upload.complete().await.unwrap();
            for location in [&whole, &parts] {
                assert_eq!(store.get(location).await.unwrap().bytes().await.unwrap(), plain);
                assert_eq!(store.head(location).await.unwrap().size, size as u64);
                let found = store.get_ranges(location, &ranges).await.unwrap();
                for (range, bytes) in ranges.iter().zip(found) {
                    assert_eq!(bytes, plain[range.start as usize..range.end as usize]);
                    if !range.is_empty() {
                        assert_eq!(store.get_range(location, range.clone()).await.unwrap(), bytes);
                    }
                }
            }
        });
    }
}

#[tokio::test]
async fn ranges_from_the_end_from_an_offset_and_beyond() {
    let (_root, _vault, store) = home();
    let (plain, at) = (text(CHUNK + 100, 2), Path::from("file"));
    store.put(&at, plain.clone().into()).await.unwrap();
    let length = plain.len();
    for (range, expected) in [
        (GetRange::Suffix(150), length - 150..length),
        (GetRange::Suffix(u64::MAX), 0..length),
        (GetRange::Offset(5), 5..length),
        (GetRange::Bounded(CHUNK as u64 - 1..CHUNK as u64 + 1), CHUNK - 1..CHUNK + 1),
        (GetRange::Bounded(7..1 << 40), 7..length),
    ] {
        let options = GetOptions { range: Some(range), ..Default::default() };
        let found = store.get_opts(&at, options).await.unwrap();
        assert_eq!(found.range, expected.start as u64..expected.end as u64);
        assert_eq!(found.bytes().await.unwrap(), plain[expected]);
    }
    assert!(store.get_range(&at, length as u64..length as u64 + 1).await.is_err());
    assert!(store.get_ranges(&at, &[0..1, 0..length as u64 + 1]).await.is_err());
}

#[tokio::test]
async fn a_long_file_comes_in_pieces() {
    let (_root, _vault, store) = home();
    let (plain, at) = (text(20 * 1024 * 1024 + 5, 3), Path::from("long"));
    store.put(&at, plain.clone().into()).await.unwrap();
    let range = GetOptions::new().with_range(Some(3u64..));
    let pieces: Vec<Bytes> = store.get_opts(&at, range).await.unwrap().into_stream().try_collect().await.unwrap();
    assert!(pieces.len() > 1 && pieces.concat() == plain[3..]);
}

#[tokio::test]
async fn lists_writes_and_reads_agree_on_size_and_tag() {
    let (_root, _vault, store) = home();
    for (name, size) in [("t/a", 0), ("t/b", CHUNK), ("t/c/d", CHUNK + 1), ("u", 10)] {
        let at = Path::from(name);
        let written = store.put(&at, text(size, 4).into()).await.unwrap();
        let head = store.head(&at).await.unwrap();
        assert_eq!((head.size, &head.e_tag), (size as u64, &written.e_tag), "{name}");
    }
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(listed.len(), 4);
    for meta in &listed {
        assert_eq!(*meta, store.head(&meta.location).await.unwrap());
    }
    let level = store.list_with_delimiter(Some(&Path::from("t"))).await.unwrap();
    assert_eq!(level.common_prefixes, [Path::from("t/c")]);
    let mut sizes: Vec<_> = level.objects.iter().map(|meta| meta.size).collect();
    sizes.sort();
    assert_eq!(sizes, [0, CHUNK as u64]);
    let later: Vec<_> = store.list_with_offset(None, &Path::from("t/b")).try_collect().await.unwrap();
    assert!(later.iter().all(|meta| meta.location > Path::from("t/b")) && later.len() == 2);
}

#[tokio::test]
async fn rename_copy_overwrite_and_delete() {
    let (root, _vault, store) = home();
    let [a, b, c] = ["x/a", "x/b", "y/c"].map(Path::from);
    let get = async |at: &Path| store.get(at).await?.bytes().await;
    store.put(&a, "first".into()).await.unwrap();
    store.copy(&a, &b).await.unwrap();
    store.put(&a, "second".into()).await.unwrap();
    assert_eq!((get(&a).await.unwrap(), get(&b).await.unwrap()), ("second".into(), "first".into()));
    assert!(matches!(store.copy_if_not_exists(&a, &b).await, Err(Error::AlreadyExists { .. })));
    assert!(matches!(store.rename_if_not_exists(&a, &b).await, Err(Error::AlreadyExists { .. })));
    store.rename(&a, &c).await.unwrap();
    assert!(matches!(get(&a).await, Err(Error::NotFound { .. })));
    assert_eq!(get(&c).await.unwrap(), "second");
    store.delete(&b).await.unwrap();
    assert!(matches!(store.delete(&b).await, Err(Error::NotFound { .. })));
    assert!(!root.path().join("db/x").exists(), "an empty folder goes with its last file");
    assert!(matches!(get(&Path::from("y")).await, Err(Error::NotFound { .. })), "a folder is no file");
}

#[tokio::test]
async fn preconditions_and_unsupported_modes() {
    let (_root, _vault, store) = home();
    let at = Path::from("file");
    let tag = store.put(&at, "text".into()).await.unwrap().e_tag;
    let unchanged = GetOptions::new().with_if_none_match(tag);
    assert!(matches!(store.get_opts(&at, unchanged).await, Err(Error::NotModified { .. })));
    let other = GetOptions::new().with_if_match(Some("\"other\""));
    assert!(matches!(store.get_opts(&at, other).await, Err(Error::Precondition { .. })));
    let update = PutOptions::from(PutMode::Update(object_store::UpdateVersion { e_tag: None, version: None }));
    assert!(matches!(store.put_opts(&at, "new".into(), update).await, Err(Error::NotImplemented { .. })));
    assert_eq!(store.get(&at).await.unwrap().bytes().await.unwrap(), "text");
}

#[tokio::test]
async fn parts_keep_their_order_whichever_runs_first() {
    let (_root, _vault, store) = home();
    let (plain, at) = (text(900_001, 5), Path::from("parts"));
    let mut upload = store.put_multipart_opts(&at, PutMultipartOptions::default()).await.unwrap();
    let mut parts: Vec<_> =
        plain.chunks(70_000).map(|part| upload.put_part(Bytes::copy_from_slice(part).into())).collect();
    parts.reverse();
    futures::stream::iter(parts).buffer_unordered(3).try_collect::<Vec<_>>().await.unwrap();
    upload.complete().await.unwrap();
    assert_eq!(store.get(&at).await.unwrap().bytes().await.unwrap(), plain);
}

#[tokio::test]
async fn an_upload_that_ends_early_leaves_nothing() {
    let (root, vault, store) = home();
    let at = Path::from("gone");
    let mut upload = store.put_multipart(&at).await.unwrap();
    upload.put_part(text(100_000, 6).into()).await.unwrap();
    upload.abort().await.unwrap();
    assert!(upload.put_part("late".into()).await.is_err());
    assert!(upload.complete().await.is_err());
    assert!(matches!(store.head(&at).await, Err(Error::NotFound { .. })));
    assert_eq!(std::fs::read_dir(root.path().join("db")).unwrap().count(), 0);

    let staged = root.path().join("db/killed#1");
    std::fs::write(&staged, &vault.seal(b"text", "").unwrap()[..40]).unwrap();
    assert_eq!(store.list(None).count().await, 0, "unfinished files are not listed");
    assert_eq!(vault.sweep_staging().unwrap(), 1);
    assert!(!staged.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_creators_one_wins() {
    let (_root, _vault, store) = home();
    for round in 0..20 {
        let at = Path::from(format!("_versions/{round}.manifest"));
        let racers = (0..8u8).map(|racer| {
            let (store, at) = (store.clone(), at.clone());
            tokio::spawn(async move {
                let created = store.put_opts(&at, vec![racer; 1000].into(), PutMode::Create.into()).await;
                match created {
                    Ok(_) => Some(racer),
                    Err(Error::AlreadyExists { .. }) => None,
                    Err(other) => panic!("{other}"),
                }
            })
        });
        let won: Vec<u8> = futures::future::join_all(racers).await.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(won.len(), 1);
        assert_eq!(store.get(&at).await.unwrap().bytes().await.unwrap(), vec![won[0]; 1000]);
    }
}
