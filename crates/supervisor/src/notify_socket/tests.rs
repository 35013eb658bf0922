use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram as Sender;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn socket() -> (TempDir, NotifySocket, Sender) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify.sock");
    let socket = NotifySocket::bind(&path, 0o622).unwrap();
    let sender = Sender::unbound().unwrap();
    sender.connect(path).unwrap();
    (folder, socket, sender)
}

fn own_pid() -> i32 {
    i32::try_from(std::process::id()).unwrap()
}

#[tokio::test]
async fn a_notice_comes_with_the_pid_of_its_sender_and_nonsense_is_passed_over() {
    let (folder, socket, sender) = socket();
    assert_eq!(fs::metadata(folder.path().join("notify.sock")).unwrap().mode() & 0o777, 0o622);
    sender.send(b"").unwrap();
    sender.send(b"READY=2\nHELLO").unwrap();
    sender.send(b"MAINPID=1\nREADY=1\nSTATUS=Serving 3 chats\n").unwrap();
    let notice =
        Notice { ready: true, status: Some("Serving 3 chats".into()), ..Notice::default() };
    assert_eq!(socket.recv().await.unwrap(), (own_pid(), notice));
    sender.send(b"WATCHDOG=1").unwrap();
    sender.send(b"RELOADING=1\nSTOPPING=1").unwrap();
    let notice = Notice { watchdog: true, ..Notice::default() };
    assert_eq!(socket.recv().await.unwrap().1, notice);
    let notice = Notice { stopping: true, reloading: true, ..Notice::default() };
    assert_eq!(socket.recv().await.unwrap().1, notice);
}

#[tokio::test]
async fn a_child_is_known_by_its_own_pid() {
    let (folder, socket, _) = socket();
    let script = "import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); \
                  s.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])";
    let mut child = tokio::process::Command::new("python3")
        .args(["-c", script])
        .env("NOTIFY_SOCKET", folder.path().join("notify.sock"))
        .spawn()
        .unwrap();
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    assert!(child.wait().await.unwrap().success());
    let (sender, notice) = socket.recv().await.unwrap();
    assert!(notice.ready);
    assert_eq!(sender, pid);
}

#[tokio::test]
async fn the_longest_datagram_is_taken_and_a_longer_one_ignored() {
    let (_folder, socket, sender) = socket();
    let long = |length: usize| [b"READY=1\nSTATUS=".to_vec(), vec![b'x'; length - 15]].concat();
    sender.send(&long(datagram::MAX_DATAGRAM + 1)).unwrap();
    sender.send(&long(datagram::MAX_DATAGRAM)).unwrap();
    sender.send(b"STOPPING=1").unwrap();
    let (_, notice) = socket.recv().await.unwrap();
    assert_eq!((notice.ready, notice.status.unwrap().len()), (true, MAX_STATUS));
    assert!(socket.recv().await.unwrap().1.stopping);
}

#[tokio::test]
async fn descriptors_that_come_along_are_closed() {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    let (_folder, socket, sender) = socket();
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [std::os::fd::AsFd::as_fd(&writer)];
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    let text = [io::IoSlice::new(b"READY=1")];
    sendmsg(&sender, &text, &mut control, SendFlags::empty()).unwrap();
    drop(writer);
    assert_eq!(socket.recv().await.unwrap().0, own_pid());
    // Nobody holds the write end any more: the reader is at its end.
    assert_eq!(rustix::io::read(&reader, &mut [0; 1]).unwrap(), 0);
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_a_bad_path_named() {
    let (folder, first, _) = socket();
    let path = folder.path().join("notify.sock");
    drop(first);
    let socket = NotifySocket::bind(&path, 0o600).unwrap();
    Sender::unbound().unwrap().send_to(b"READY=1", &path).unwrap();
    assert!(socket.recv().await.unwrap().1.ready);
    let bad = folder.path().join("missing/notify.sock");
    let problem = NotifySocket::bind(&bad, 0o600).unwrap_err().to_string();
    assert!(problem.contains("missing/notify.sock"), "{problem}");
}

#[test]
fn a_status_is_one_printable_line_of_bounded_length() {
    let status = |text: &[u8]| parse(&[b"STATUS=", text].concat()).unwrap().status.unwrap();
    assert_eq!(status(b"\x1b[31mred\t\xff"), "[31mred\u{fffd}");
    assert_eq!(status("é".repeat(1000).as_bytes()).len(), MAX_STATUS);
    assert_eq!(parse(b"STATUS=a\nSTATUS=").unwrap().status, Some(String::new()));
}

proptest! {
    #[test]
    fn any_bytes_are_borne(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
        let status = parse(&[b"STATUS=", &bytes[..]].concat()).unwrap().status.unwrap();
        prop_assert!(!status.contains(char::is_control));
    }

    #[test]
    fn what_is_said_is_heard_in_any_order_among_anything(
        (ready, stopping, reloading, watchdog) in any::<(bool, bool, bool, bool)>(),
        status in prop::option::of("[ -~]{0,40}"),
        noise in prop::collection::vec("X[A-Z]{0,5}=[ -~]{0,10}", 0..4),
        turn in 0_usize..8,
    ) {
        let said = [
            ready.then(|| "READY=1".to_owned()),
            stopping.then(|| "STOPPING=1".to_owned()),
            reloading.then(|| "RELOADING=1".to_owned()),
            watchdog.then(|| "WATCHDOG=1".to_owned()),
            status.as_ref().map(|status| format!("STATUS={status}")),
        ];
        let mut lines: Vec<String> = said.into_iter().flatten().chain(noise).collect();
        if !lines.is_empty() {
            let middle = turn % lines.len();
            lines.rotate_left(middle);
        }
        let notice = Notice { ready, stopping, reloading, watchdog, status };
        let expected = (notice != Notice::default()).then_some(notice);
        prop_assert_eq!(parse(lines.join("\n").as_bytes()), expected);
    }
}
