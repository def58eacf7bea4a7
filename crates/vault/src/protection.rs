//! What keeps the data key of a Home: chosen by its owner (`Secret`), told to them in plain words
//! (`Protection`).

/// What opens a Home, or is to protect a new one.
#[derive(Clone, Copy)]
pub enum Secret<'a> {
    /// A new Home: the system keychain where there is one, else a key file. An existing one: whatever
    /// protects it, except a passphrase, which only a person can give.
    Auto,
    Keychain,
    KeyFile,
    Passphrase(&'a str),
}

/// What protects a Home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    Keychain,
    Passphrase,
    KeyFile,
}

impl Protection {
    /// `keychain`, `passphrase` or `key_file`.
    pub fn kind(self) -> &'static str {
        match self {
            Protection::Keychain => "keychain",
            Protection::Passphrase => "passphrase",
            Protection::KeyFile => "key_file",
        }
    }

    /// What is protected and what is not, for a person who knows no cryptography.
    pub fn sentence(self) -> String {
        match self {
            Protection::Keychain => {
                "Encrypted on disk. The key is in this computer's keychain and is there when you log in: \
                 a stolen disk or a copied folder cannot be read, but whoever uses your unlocked account can."
            }
            Protection::Passphrase => {
                "Encrypted on disk with your passphrase: nobody can read it without the passphrase while \
                 Evoke is closed. If you forget it, nobody can bring the archive back, not even you."
            }
            Protection::KeyFile => {
                "Encrypted on disk, but the key is a file in the same folder: anyone who can read your files \
                 on this computer, or copies the whole folder, can read the archive. A passphrase protects more."
            }
        }
        .to_owned()
    }
}
