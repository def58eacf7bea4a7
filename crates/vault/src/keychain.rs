//! The system keychain: Keychain on macOS, Credential Manager on Windows, Secret Service elsewhere.
//! Keeps one wrapping key a Home, under the Home's random id.

use crate::key::{Secret256, secret256};
use crate::{VaultError, hex};
use keyring::{Entry, Error};
use std::sync::mpsc;
use std::time::Duration;
use zeroize::Zeroizing;

const SERVICE: &str = "Evoke";

/// A keychain that is there answers in milliseconds; one that is not may never answer.
const REACH: Duration = Duration::from_millis(900);
/// Once reached, it may ask the person for their password first.
const ANSWER: Duration = Duration::from_secs(60);

/// Keeps `key` and reads it back, so that a keychain that only seems to work is found out now.
pub(crate) fn store(home_id: &str, key: &Secret256) -> Result<(), VaultError> {
    let digits = Zeroizing::new(hex::encode(key.as_slice()));
    ask(home_id, move |entry| entry.set_password(&digits))?;
    match load(home_id)? == *key {
        true => Ok(()),
        false => Err(unavailable("it did not keep what was stored")),
    }
}

pub(crate) fn load(home_id: &str) -> Result<Secret256, VaultError> {
    let digits = ask(home_id, |entry| entry.get_password().map(Zeroizing::new))?;
    hex::decode(&digits)
        .map(Zeroizing::new)
        .and_then(|bytes| secret256(&bytes))
        .ok_or_else(|| unavailable("what it holds is no key"))
}

pub(crate) fn remove(home_id: &str) -> Result<(), VaultError> {
    ask(home_id, |entry| entry.delete_credential())
}

/// Runs `work` on this Home's entry. Always on a thread of its own: the keychain may hang, and its
/// blocking calls must not run inside an async runtime. Text is stored, as some keychains hold no bytes.
fn ask<T: Send + 'static>(
    home_id: &str,
    work: impl FnOnce(Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<T, VaultError> {
    within(REACH, || Entry::store_status().as_ref().map(drop).map_err(Error::to_string))?
        .map_err(|reason| unavailable(&reason))?;
    let home_id = home_id.to_owned();
    within(ANSWER, move || Entry::new(SERVICE, &home_id).and_then(work))?.map_err(|error| {
        match error {
            Error::NoEntry => unavailable("it holds no key for this Home"),
            // Some variants carry what was stored: never print those.
            Error::BadEncoding(_) | Error::BadDataFormat(..) => unavailable("what it holds is no key"),
            other => unavailable(&other.to_string()),
        }
    })
}

fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Result<T, VaultError> {
    let (answer, answered) = mpsc::channel();
    std::thread::Builder::new()
        .name("keychain".into())
        .spawn(move || answer.send(work()))
        .map_err(VaultError::io("asking the keychain"))?;
    answered.recv_timeout(limit).map_err(|_| unavailable("it did not answer"))
}

fn unavailable(reason: &str) -> VaultError {
    VaultError::KeychainUnavailable { reason: reason.to_owned() }
}
