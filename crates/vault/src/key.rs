//! Secret key material: the 256-bit data key of a Home, what is derived from it, and how it is wrapped.
//! Where the wrapping key comes from is left to `home_key`.

use crate::VaultError;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// 256 secret bits, wiped when dropped.
pub(crate) type Secret256 = Zeroizing<[u8; 32]>;

/// Names the data key in the header of each file, and reveals nothing of it.
pub(crate) type KeyId = [u8; 8];

/// XChaCha20's nonce: long enough to be drawn at random for every wrapping.
const WRAP_NONCE: usize = 24;

/// `N` bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, VaultError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|error| anyhow::anyhow!("the system gave no random numbers: {error}"))?;
    Ok(bytes)
}

/// The key from which every file's own key is derived. It never changes in the life of a Home: a new
/// passphrase only wraps it anew.
pub(crate) struct DataKey {
    secret: Secret256,
    id: KeyId,
}

impl DataKey {
    pub(crate) fn new(secret: Secret256) -> Result<Self, VaultError> {
        let mut id = KeyId::default();
        expand(&secret, b"", b"evoke vault 1: key id", &mut id)?;
        Ok(DataKey { secret, id })
    }

    pub(crate) fn random() -> Result<Self, VaultError> {
        DataKey::new(random()?)
    }

    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    /// The cipher of one file: HKDF-SHA256 (RFC 5869) with the file's random id as salt. No two files
    /// share a key, so the nonce inside a file may simply count.
    pub(crate) fn file_cipher(&self, file_id: &[u8]) -> Result<ChaCha20Poly1305, VaultError> {
        let mut subkey = Zeroizing::new([0; 32]);
        expand(&self.secret, file_id, b"evoke vault 1: file", subkey.as_mut_slice())?;
        Ok(ChaCha20Poly1305::new(subkey.as_slice().into()))
    }

    /// The data key sealed under `wrapping`: nonce, then ciphertext and tag. `bound` is what the
    /// wrapping is tied to; unwrapping with any other `bound` fails.
    pub(crate) fn wrap(&self, wrapping: &Secret256, bound: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce = random::<WRAP_NONCE>()?;
        let payload = Payload { msg: self.secret.as_slice(), aad: bound };
        let sealed = XChaCha20Poly1305::new(wrapping.as_slice().into())
            .encrypt(nonce.as_slice().into(), payload)
            .map_err(|_| anyhow::anyhow!("the data key could not be wrapped"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// `WrongKey` if `wrapping` or `bound` is not what the key was wrapped with.
    pub(crate) fn unwrap(wrapped: &[u8], wrapping: &Secret256, bound: &[u8]) -> Result<Self, VaultError> {
        let (nonce, sealed) = wrapped.split_at_checked(WRAP_NONCE).ok_or_else(|| VaultError::damaged("home.key"))?;
        let plain = XChaCha20Poly1305::new(wrapping.as_slice().into())
            .decrypt(nonce.into(), Payload { msg: sealed, aad: bound })
            .map(Zeroizing::new)
            .map_err(|_| VaultError::WrongKey)?;
        DataKey::new(secret256(&plain).ok_or_else(|| VaultError::damaged("home.key"))?)
    }
}

/// Exactly 32 bytes, or `None`.
pub(crate) fn secret256(bytes: &[u8]) -> Option<Secret256> {
    let mut secret = Zeroizing::new([0; 32]);
    (bytes.len() == secret.len()).then(|| {
        secret.copy_from_slice(bytes);
        secret
    })
}

fn expand(secret: &Secret256, salt: &[u8], purpose: &[u8], out: &mut [u8]) -> Result<(), VaultError> {
    Hkdf::<Sha256>::new(Some(salt), secret.as_slice())
        .expand(purpose, out)
        .map_err(|_| anyhow::anyhow!("a key of {} bytes cannot be derived", out.len()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwrapping_wants_the_same_key_and_the_same_bound() {
        let key = DataKey::random().unwrap();
        let (ours, theirs) = (random().unwrap(), random().unwrap());
        let wrapped = key.wrap(&ours, b"home").unwrap();
        assert_eq!(DataKey::unwrap(&wrapped, &ours, b"home").unwrap().secret, key.secret);
        for (wrapping, bound) in [(&theirs, b"home"), (&ours, b"else")] {
            let refused = DataKey::unwrap(&wrapped, wrapping, bound).err();
            assert!(matches!(refused, Some(VaultError::WrongKey)));
        }
        assert!(matches!(DataKey::unwrap(b"short", &ours, b"").err(), Some(VaultError::Damaged { .. })));
    }

    #[test]
    fn wrapping_twice_shares_no_byte_run() {
        let (key, wrapping) = (DataKey::random().unwrap(), random().unwrap());
        assert_ne!(key.wrap(&wrapping, b"").unwrap(), key.wrap(&wrapping, b"").unwrap());
    }
}
