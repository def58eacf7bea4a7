//! How much an export may ask for before it is taken for an attack or for damage.
//! Enforced on what is really read, never on the sizes that a container declares.

/// The defaults let real exports of 50 GB pass and stop a zip bomb within seconds.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Files in a container. A Slack workspace has 100,000, a photo Takeout 500,000.
    pub entries: usize,
    /// Bytes out of one container, unpacked.
    pub unpacked: u64,
    /// Bytes out of one entry for each byte in. JSON rarely passes 30; a bomb has 1,000.
    pub ratio: u64,
    /// The ratio is not looked at before this many bytes came out of an entry.
    pub ratio_from: u64,
    /// Longest single record (a conversation, a message, a line) held in memory, in bytes.
    pub record: usize,
    /// Largest database inside an archive that is held in memory, in bytes.
    pub inner_zip: u64,
    /// Archives in archives, the outermost counted.
    pub depth: usize,
    /// Longest document (PDF, Word, a web page) that is read, in bytes.
    pub document: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 1_000_000,
            unpacked: 1 << 40,
            ratio: 200,
            ratio_from: 64 << 20,
            record: 64 << 20,
            inner_zip: 256 << 20,
            depth: 3,
            document: 128 << 20,
        }
    }
}
