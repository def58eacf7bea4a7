//! No network, enforced by the operating system where it lets a process give the right away.
//!
//! Linux: a seccomp filter over all threads, inherited by children (the web view's too), that answers
//! any internet, packet or netlink socket with "permission denied", and io_uring with it,
//! since a ring could open one. macOS: the App Sandbox without the network entitlement
//! (`src-tauri/entitlements.plist`), which a signed app gets and a terminal does not. Elsewhere nothing
//! is enforced, and `network` says so.

use evoke_message::Network;
use std::sync::OnceLock;

static STATE: OnceLock<Network> = OnceLock::new();

/// Denies internet sockets to this process and its children. To be called first thing in `main`;
/// later calls change nothing. Never fails: what could not be had is said by [`network`].
pub fn deny_network() -> &'static Network {
    STATE.get_or_init(|| match deny() {
        Ok(sentence) => Network { blocked: true, sentence },
        Err(sentence) => Network { blocked: false, sentence },
    })
}

/// What the operating system was told.
pub fn network() -> Network {
    STATE.get().cloned().unwrap_or(Network {
        blocked: false,
        sentence: "Evoke has no code that opens a connection; this process did not ask the system to enforce it."
            .into(),
    })
}

#[cfg(target_os = "linux")]
fn deny() -> Result<String, String> {
    let not = |error: &dyn std::fmt::Display| {
        format!(
            "The system did not accept the filter that denies the network ({error}). Evoke opens no connection by itself."
        )
    };
    let program: seccompiler::BpfProgram = filter().and_then(TryInto::try_into).map_err(|e| not(&e))?;
    seccompiler::apply_filter_all_threads(&program).map_err(|e| not(&e))?;
    Ok("Linux refuses this process and its children every internet connection (seccomp).".into())
}

/// `socket` for the internet families and `io_uring_setup` answer EACCES; all else is as before.
/// AF_UNIX stays (the window, D-Bus); GTK asks for AF_NETLINK and does without.
#[cfg(target_os = "linux")]
fn filter() -> Result<seccompiler::SeccompFilter, seccompiler::BackendError> {
    use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
    const DENIED: [i32; 7] = [
        libc::AF_INET,
        libc::AF_INET6,
        libc::AF_PACKET,
        libc::AF_NETLINK,
        libc::AF_BLUETOOTH,
        libc::AF_VSOCK,
        libc::AF_TIPC,
    ];
    let family = |family: i32| -> Result<SeccompRule, seccompiler::BackendError> {
        let is = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, family as u64)?;
        SeccompRule::new(vec![is])
    };
    let sockets = DENIED.into_iter().map(family).collect::<Result<Vec<_>, _>>()?;
    SeccompFilter::new(
        [(libc::SYS_socket, sockets), (libc::SYS_io_uring_setup, vec![])].into_iter().collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EACCES as u32),
        std::env::consts::ARCH.try_into()?,
    )
}

#[cfg(target_os = "macos")]
fn deny() -> Result<String, String> {
    if std::env::var_os("APP_SANDBOX_CONTAINER_ID").is_some() {
        return Ok("macOS refuses this app every connection (App Sandbox without the network right).".into());
    }
    Err("This process runs outside the App Sandbox, so macOS enforces nothing here. Evoke opens no connection by itself.".into())
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn deny() -> Result<String, String> {
    Err("This system gives a program no way to deny itself the network. Evoke opens no connection by itself.".into())
}
