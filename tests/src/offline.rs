//! No network: the process that gave it up gets "permission denied", and so do its children.

use std::process::Command;

/// Runs the given test of this binary in a process of its own.
fn in_a_process_of_its_own(test: &str) -> std::process::Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=2"])
        .output()
        .unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn an_internet_socket_is_denied_by_the_system() {
    let out = in_a_process_of_its_own("offline::inside");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    assert!(String::from_utf8_lossy(&out.stdout).contains("1 passed"));
}

/// Run by the test above: a filter cannot be taken back, so it needs a process of its own.
#[test]
#[ignore = "run by an_internet_socket_is_denied_by_the_system"]
fn inside() {
    use std::{io::ErrorKind, net, thread};
    let (send, wait) = std::sync::mpsc::channel::<()>();
    let earlier = thread::spawn(move || {
        let _ = wait.recv();
        net::TcpStream::connect("127.0.0.1:9").unwrap_err().kind()
    });
    let network = evoke_memory::deny_network();
    assert!(network.blocked, "{}", network.sentence);
    send.send(()).unwrap();
    assert_eq!(earlier.join().unwrap(), ErrorKind::PermissionDenied, "a thread from before the filter");
    for address in ["127.0.0.1:0", "[::1]:0"] {
        assert_eq!(net::TcpListener::bind(address).unwrap_err().kind(), ErrorKind::PermissionDenied);
        assert_eq!(net::UdpSocket::bind(address).unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
    assert!(std::os::unix::net::UnixStream::pair().is_ok(), "local sockets stay: the window needs them");
    let child = Command::new("bash").args(["-c", "exec 3<>/dev/tcp/127.0.0.1/9"]).output().unwrap();
    assert!(String::from_utf8_lossy(&child.stderr).contains("Permission denied"), "{child:?}");
}
