//! Clients that send without end: they are ended or held up, memory stays where it was, and nobody else notices.

use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::client::{Client, FIRST_TEXT, MIDDLE, PING, PONG, frame};
use crate::world::World;

const MIB: usize = 1024 * 1024;
/// What the node may take more than before: allocators keep a little, a flood would be felt in hundreds.
const GROWTH: usize = 16 * MIB;
const FLOODERS: usize = 16;
/// What the flooder's own kernel takes of answers: little, so that they pile up at the node.
const RECEIVE_BYTES: usize = 4 * 1024;
const FRAGMENTS: usize = 1_000_000;
/// More than all buffers between the two programs hold.
const ENDLESS: usize = 256 * MIB;

#[test]
fn a_million_fragments_end_early() {
    let world = World::start();
    let mut client = Client::greeted(world.node.address());
    let before = world.resident_bytes();
    client.send(&frame(FIRST_TEXT, b"a"));
    let fragments = frame(MIDDLE, b"a").repeat(1_000);
    let mut sent = 0;
    while sent < FRAGMENTS && client.stream.write_all(&fragments).is_ok() {
        sent += 1_000;
    }
    assert!(sent < FRAGMENTS, "all were taken");
    assert!(world.resident_bytes() < before + GROWTH);
    // As far as it was not still sending, it sees why.
    let mut brief = Client::greeted(world.node.address());
    brief.send(&[frame(FIRST_TEXT, b"a"), frame(MIDDLE, b"a").repeat(1_000)].concat());
    assert_eq!(brief.end(), 1009);
}

#[test]
fn pings_that_nobody_reads_the_answers_of_are_held_up() {
    let world = World::start();
    let address = world.node.address();
    let mut honest = Client::greeted(address);
    let before = world.resident_bytes();
    let flooders: Vec<_> = (0..FLOODERS).map(|_| thread::spawn(move || flood(address))).collect();
    while flooders.iter().any(|flooder| !flooder.is_finished()) {
        honest.send(&frame(PING, b"still there?"));
        assert_eq!(honest.next().map(|frame| frame.first), Some(PONG));
    }
    let held_up: Vec<(Client, usize)> = flooders.into_iter().map(|flooder| flooder.join().unwrap()).collect();
    let grown = world.resident_bytes().saturating_sub(before);
    println!("{grown} bytes grown; bytes taken of each: {:?}", held_up.iter().map(|one| one.1).collect::<Vec<_>>());
    assert!(grown < GROWTH, "{grown} bytes");

    // Held up and not cut off: who reads again is answered again.
    for (mut client, _) in held_up {
        assert_eq!(client.next().map(|frame| frame.first), Some(PONG));
    }
}

/// Sends empty pings until the node takes no more; says how many bytes it took.
fn flood(address: SocketAddr) -> (Client, usize) {
    let mut client = Client::greeted(address);
    client.stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    SockRef::from(&client.stream).set_recv_buffer_size(RECEIVE_BYTES).unwrap();
    let pings = frame(PING, b"").repeat(10_000);
    let mut taken = 0;
    while taken < ENDLESS {
        // From where the last write stopped, so that frames stay whole.
        match client.stream.write(&pings[taken % pings.len()..]) {
            Ok(bytes) => taken += bytes,
            Err(fault) if matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return (client, taken);
            }
            Err(fault) => panic!("cut off after {taken} bytes: {fault}"),
        }
    }
    panic!("{taken} bytes were taken of a client that reads nothing");
}
