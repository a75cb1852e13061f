//! Requests that become connections, and those that must not.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, PATIENCE, PING, PONG, SUBPROTOCOL, frame, upgrade};
use crate::world::World;

const GET: &str = "GET /api/v1/ws HTTP/1.1";

#[test]
fn each_handshake_has_its_answer() {
    let world = World::start();
    let ask = |first: &str, lines: &str| Client::dial(world.node.address()).ask(&upgrade(first, lines));
    for (first, lines, status) in [
        (GET, SUBPROTOCOL, 101),
        (GET, "", 101),
        (GET, "Sec-WebSocket-Protocol: other.v9, tidings.v1.json\r\n", 101),
        (GET, "Connection: keep-alive, Upgrade\r\n", 101),
        (GET, "Upgrade: WebSocket\r\n", 101),
        (GET, "Sec-WebSocket-Protocol: other.v9\r\n", 400),
        (GET, "Sec-WebSocket-Version: 8\r\n", 426),
        (GET, "Sec-WebSocket-Key:\r\n", 400),
        (GET, "Sec-WebSocket-Key: c2hvcnQ=\r\n", 400),
        (GET, "Origin: https://elsewhere.example\r\n", 403),
        ("GET /api/v1/elsewhere HTTP/1.1", "", 404),
        ("POST /api/v1/ws HTTP/1.1", "Content-Length: 0\r\n", 405),
        ("HEAD /api/v1/ws HTTP/1.1", "", 405),
    ] {
        let head = ask(first, lines);
        assert_eq!(head.status, status, "{first} {lines}\n{}", head.text);
    }
    let accepted = ask(GET, SUBPROTOCOL).text;
    assert!(accepted.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "the RFC's own example: {accepted}");
    assert!(accepted.to_lowercase().contains("sec-websocket-protocol: tidings.v1.json\r\n"), "{accepted}");
    let versions = ask(GET, "Sec-WebSocket-Version: 99\r\n").text.to_lowercase();
    assert!(versions.contains("sec-websocket-version: 13\r\n"), "it says what it speaks: {versions}");
}

#[test]
fn compression_is_offered_in_vain() {
    let world = World::start();
    let mut client = Client::dial(world.node.address());
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let head = client.ask(&upgrade(GET, offer));
    assert_eq!(head.status, 101);
    assert!(!head.text.to_lowercase().contains("sec-websocket-extensions"), "{}", head.text);
    client.send(&frame(0xc1, b"\xaa\x56\x4a\x04\x00"));
    assert_eq!(client.end(), 1002, "a compressed message, where none was agreed");
}

/// Clients that send their request a byte at a time.
const SLOW: usize = 200;
const A_BYTE_EVERY: Duration = Duration::from_millis(250);

#[test]
fn slow_handshakes_are_given_up_and_hold_up_nobody() {
    let world = World::start();
    let address = world.node.address();
    let slow: Vec<_> = (0..SLOW).map(|_| thread::spawn(move || trickle(address))).collect();
    let mut honest = Vec::new();
    while slow.iter().any(|one| !one.is_finished()) {
        let started = Instant::now();
        let mut client = Client::greeted(address);
        client.send(&frame(PING, b"here"));
        assert_eq!(client.next().map(|frame| frame.first), Some(PONG));
        honest.push(started.elapsed());
    }
    println!("{} honest clients came in meanwhile; the slowest took {:?}", honest.len(), honest.iter().max());
    assert!(!honest.is_empty());
    for one in slow {
        let said = one.join().unwrap();
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
    }
}

/// Sends a request slowly until the server ends it; what it said.
fn trickle(address: SocketAddr) -> String {
    let mut client = Client::dial(address);
    client.stream.set_read_timeout(Some(A_BYTE_EVERY)).unwrap();
    let started = Instant::now();
    let mut said = Vec::new();
    for byte in upgrade(GET, "").bytes().cycle() {
        assert!(started.elapsed() < PATIENCE, "not given up");
        if client.stream.write_all(&[byte]).is_err() {
            break;
        }
        let mut more = [0; 1024];
        match client.stream.read(&mut more) {
            Ok(0) => break,
            Ok(read) => said.extend(&more[..read]),
            Err(fault) if matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    String::from_utf8(said).unwrap()
}
