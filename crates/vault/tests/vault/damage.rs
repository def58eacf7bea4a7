//! Whatever is altered inside a sealed file, a read of it fails; nothing altered is ever handed out.

use crate::{home, text};
use evoke_vault::{Secret, Vault, VaultError};
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use std::path::PathBuf;

const HEADER: usize = 32;
const SEALED_CHUNK: usize = 64 * 1024 + 16;

/// Three chunks, the last short.
fn plain() -> Vec<u8> {
    text(2 * 64 * 1024 + 500, 7)
}

/// Writes two files, lets `alter` change the first (given both, sealed), and demands that neither its
/// whole, nor any chunk that was altered, can be read: with nothing remembered, and after a good read.
async fn check(what: &str, alter: impl Fn(&mut Vec<u8>, &[u8]), whole_file_shows_at_head: bool) {
    for read_before in [false, true] {
        let (root, vault, store) = home();
        let [a, b] = ["a", "b"].map(Path::from);
        store.put(&a, plain().into()).await.unwrap();
        store.put(&b, text(plain().len(), 8).into()).await.unwrap();
        if read_before {
            store.get(&a).await.unwrap().bytes().await.unwrap();
        }
        let on_disk = |name: &str| -> PathBuf { root.path().join("db").join(name) };
        let mut sealed = std::fs::read(on_disk("a")).unwrap();
        alter(&mut sealed, &std::fs::read(on_disk("b")).unwrap());
        std::fs::write(on_disk("a"), &sealed).unwrap();

        let read = match store.get(&a).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        assert!(is_refused(read.as_ref().err()), "{what}: {read:?}");
        let afresh = vault.object_store("db").unwrap().head(&a).await;
        assert_eq!(is_refused(afresh.as_ref().err()), whole_file_shows_at_head, "{what}: {afresh:?}");
    }
}

fn is_refused(error: Option<&Error>) -> bool {
    let Some(Error::Generic { source, .. }) = error else {
        return false;
    };
    matches!(source.downcast_ref(), Some(VaultError::Damaged { .. } | VaultError::WrongKey))
}

#[tokio::test]
async fn a_changed_bit_anywhere() {
    for at in [0, 4, 5, 6, 8, 16, 31] {
        check(&format!("header byte {at}"), |sealed, _| sealed[at] ^= 1, true).await;
    }
    let last = HEADER + 2 * SEALED_CHUNK;
    for at in [HEADER, HEADER + SEALED_CHUNK - 1, HEADER + SEALED_CHUNK, last - 1] {
        check(&format!("byte {at}"), |sealed, _| sealed[at] ^= 128, false).await;
    }
    for at in [last, last + 499, last + 515] {
        check(&format!("byte {at} of the last chunk"), |sealed, _| sealed[at] ^= 2, true).await;
    }
}

#[tokio::test]
async fn a_file_cut_off_or_made_longer() {
    let whole = HEADER + 2 * SEALED_CHUNK + 516;
    for length in [0, 1, HEADER, HEADER + 16, HEADER + SEALED_CHUNK, HEADER + 2 * SEALED_CHUNK, whole - 1] {
        check(&format!("cut to {length}"), |sealed, _| sealed.truncate(length), true).await;
    }
    check("one byte more", |sealed, _| sealed.push(0), true).await;
    check("a chunk more", |sealed, other| sealed.extend_from_slice(&other[HEADER..]), true).await;
}

#[tokio::test]
async fn chunks_and_headers_exchanged() {
    let (first, second) = (HEADER..HEADER + SEALED_CHUNK, HEADER + SEALED_CHUNK..HEADER + 2 * SEALED_CHUNK);
    check(
        "two chunks exchanged",
        |sealed, _| {
            let moved = sealed[first.clone()].to_vec();
            sealed.copy_within(second.clone(), HEADER);
            sealed[second.clone()].copy_from_slice(&moved);
        },
        false,
    )
    .await;
    let foreign = |sealed: &mut Vec<u8>, other: &[u8]| sealed[first.clone()].copy_from_slice(&other[first.clone()]);
    check("another file's chunk", foreign, false).await;
    check("another file's header", |sealed, other| sealed[..HEADER].copy_from_slice(&other[..HEADER]), true).await;
}

#[tokio::test]
async fn another_homes_file_is_told_from_a_damaged_one() {
    let (root, _vault, _store) = home();
    let (_theirs, _other, other_store) = home();
    let at = Path::from("a");
    other_store.put(&at, "theirs".into()).await.unwrap();
    std::fs::copy(_theirs.path().join("db/a"), root.path().join("db/a")).unwrap();
    let ours = Vault::open(root.path(), Secret::Auto).unwrap().object_store("db").unwrap();
    let Err(Error::Generic { source, .. }) = ours.head(&at).await else { panic!("must be refused") };
    assert!(matches!(source.downcast_ref(), Some(VaultError::WrongKey)));
}

#[tokio::test]
async fn what_is_no_sealed_file_can_be_listed_and_deleted() {
    use futures::TryStreamExt;
    let (root, _vault, store) = home();
    std::fs::write(root.path().join("db/stray"), b"short").unwrap();
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!((listed.len(), listed[0].size), (1, 0));
    assert!(is_refused(store.get(&listed[0].location).await.err().as_ref()));
    store.delete(&listed[0].location).await.unwrap();
}
