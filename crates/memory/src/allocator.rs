//! How much memory is taken where it would not show in what we hold ourselves.
//!
//! With glibc each thread may get an arena of its own, and what a batch of an import frees in one is not there for
//! the next batch in another: an import of 250,000 messages was 453 MB at its highest, and 303 MB with two arenas,
//! as quick (benches/README.md). LanceDB holds up to 2 GiB of a word index that it builds or gathers before it
//! writes a part of it: a gathering in the middle of a 2 GB import held 820 MB.

/// MiB of a word index held while it is built.
const WORD_INDEX: &str = "24";

/// Few arenas for all threads, small parts of word indexes. To be called before any thread is started.
pub fn keep_memory_small() {
    #[allow(unsafe_code)]
    // SAFETY: there is no second thread yet that could read the environment meanwhile.
    unsafe {
        std::env::set_var("LANCE_FTS_PARTITION_SIZE", WORD_INDEX);
    }
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code)]
    // SAFETY: sets one number of the allocator, before there is a second thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

/// Gives the system back what was freed; after work that held much for a short time.
pub(crate) fn return_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code)]
    // SAFETY: may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
