//! The desktop door: one window, one command onto `Memory`. What is seen is in `ui/`.
//!
//! Invariant: the process gives up the network before it starts a thread, a window or a web view.
//! The `automation` feature (tests only) gives it up once the page has loaded, because a WebDriver
//! reaches a web view through a socket that must be opened first.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod door;

use door::Door;
use evoke_memory::{deny_network, keep_memory_small};
use tauri::{Manager, webview::PageLoadEvent};

fn main() {
    #[cfg(not(feature = "automation"))]
    deny_network();
    keep_memory_small();
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| {
            if let Some(window) = app.get_webview_window("main") {
                // Shown as far as the system lets it; a window that stays behind is no error.
                let _ = window.unminimize();
                let _ = window.set_focus();
            }
        }))
        .plugin(tauri_plugin_dialog::init())
        .manage(Door::default())
        .invoke_handler(tauri::generate_handler![door::call])
        .on_page_load(|_, load| {
            if load.event() == PageLoadEvent::Finished {
                deny_network();
            }
        })
        .run(tauri::generate_context!());
    if let Err(error) = app {
        eprintln!("Evoke could not open its window: {error}");
        std::process::exit(70);
    }
}
