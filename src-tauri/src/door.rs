//! The window's calls: opens the archive at the first one, and passes each on.

use evoke_memory::{
    Memory, MemoryError, Options, default_home,
    message::{Call, Reply, Trouble},
};
use tokio::sync::Mutex;

/// The archive, once it is open.
#[derive(Default)]
pub(crate) struct Door(Mutex<Option<Memory>>);

/// Answers a call of the page.
#[tauri::command]
pub(crate) async fn call(door: tauri::State<'_, Door>, call: Call) -> Result<Reply, Trouble> {
    let memory = door.open(&call).await.map_err(|e| e.trouble())?;
    memory.call(call).await.map_err(|e| e.trouble())
}

impl Door {
    /// The open archive. One under a passphrase opens with the call `unlock`, or with `EVOKE_PASSPHRASE`.
    async fn open(&self, call: &Call) -> Result<Memory, MemoryError> {
        let mut open = self.0.lock().await;
        if let Some(memory) = open.as_ref() {
            return Ok(memory.clone());
        }
        let mut options = Options::new(default_home()?, true);
        options.passphrase = match call {
            Call::Unlock { passphrase } => Some(passphrase.clone()),
            _ => std::env::var("EVOKE_PASSPHRASE").ok().filter(|p| !p.is_empty()),
        };
        let memory = Memory::open(options).await?;
        memory.start_resume().await?;
        memory.start_keeping_up();
        *open = Some(memory.clone());
        Ok(memory)
    }
}
