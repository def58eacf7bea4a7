//! How the system's allocator keeps memory.
//!
//! With glibc each thread may get an arena of its own, and what a batch of an import frees in one is not there for
//! the next batch in another: an import of 250,000 messages was 453 MB at its highest, and 303 MB with two arenas,
//! as quick (benches/README.md).

/// Few arenas for all threads. To be called before any thread is started; does nothing on other systems.
pub fn keep_memory_small() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code)]
    // SAFETY: sets one number of the allocator, before there is a second thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}
