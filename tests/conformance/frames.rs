//! Frames and messages that are wrong, or only odd, sent to sessions as they run in service.

use tidings_protocol::limits::{MESSAGE_BYTES, MESSAGE_BYTES_BEFORE_HELLO};

use crate::client::{BINARY, CLOSE, Client, FIRST_TEXT, LAST, MIDDLE, PING, PONG, TEXT, close, frame};
use crate::world::World;

/// The end that bytes lead to: after which close number, if any.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    number: u16,
}

fn case(name: &'static str, number: u16, frames: &[Vec<u8>]) -> Case {
    Case { name, bytes: frames.concat(), number }
}

/// A header that declares a 64-bit length, and no payload.
fn declares(first: u8, length: u64) -> Vec<u8> {
    [&[first, 0x80 | 127][..], &length.to_be_bytes(), &[0; 4]].concat()
}

fn broken() -> Vec<Case> {
    let blank = |bytes: usize| vec![b' '; bytes];
    let mut cases = vec![
        case("not masked", 1002, &[vec![TEXT, 0x02, b'{', b'}']]),
        case("3.* a reserved bit", 1002, &[frame(TEXT | 0x40, b"{}")]),
        case("3.* all reserved bits, in a ping", 1002, &[frame(PING | 0x70, b"")]),
        case("4.* a reserved opcode", 1002, &[frame(0x83, b"")]),
        case("4.* a reserved control opcode, its payload never sent", 1002, &[vec![0x8b, 0x80 | 10]]),
        case("2.5 a ping of 126 bytes", 1002, &[frame(PING, &blank(126))]),
        case("5.1 a ping in fragments", 1002, &[frame(0x09, b"a")]),
        case("5.9 a continuation of nothing", 1002, &[frame(LAST, b"a")]),
        case("5.18 a message within a message", 1002, &[frame(FIRST_TEXT, b"a"), frame(TEXT, b"b")]),
        case("6.* not UTF-8", 1007, &[frame(TEXT, b"\xce\xba\xed\xa0\x80")]),
        case(
            "6.4.2 not UTF-8, seen in the middle fragment",
            1007,
            &[frame(FIRST_TEXT, b"\xf4"), frame(MIDDLE, b"\x90")],
        ),
        case("6.* half a character at the end", 1007, &[frame(FIRST_TEXT, b"a\xf0\x9f"), frame(LAST, b"\x98")]),
        case("7.3.2 a close of one byte", 1002, &[frame(CLOSE, b"a")]),
        case("7.3.6 a close of 126 bytes", 1002, &[frame(CLOSE, &close(1000, &blank(124)))]),
        case("7.5.1 a reason that is not UTF-8", 1007, &[frame(CLOSE, &close(1000, b"\xce\xba\xe1\xbd"))]),
        case("a length of 2^63", 1009, &[declares(TEXT, 1 << 63)]),
        case("a length of 2^62", 1009, &[declares(BINARY, 1 << 62)]),
        case("one byte too long", 1009, &[frame(TEXT, &blank(MESSAGE_BYTES + 1))]),
        case(
            "one byte too long in two fragments",
            1009,
            &[frame(FIRST_TEXT, &blank(MESSAGE_BYTES)), frame(LAST, b"a")],
        ),
        // The client is still sending when it is refused, and must see why all the same.
        case("300 KiB", 1009, &[frame(TEXT, &blank(300 * 1024))]),
    ];
    for number in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        cases.push(case("7.9.* a number that may not be sent", 1002, &[frame(CLOSE, &close(number, b""))]));
    }
    for number in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        cases.push(case("7.7.* a number that may be sent, echoed", number, &[frame(CLOSE, &close(number, b"bye"))]));
    }
    cases
}

#[test]
fn what_is_broken_ends_with_its_number_and_tcp_with_it() {
    let world = World::start();
    let address = world.node.address();
    for Case { name, bytes, number } in broken() {
        let mut client = Client::greeted(address);
        client.send(&bytes);
        assert_eq!(client.end(), number, "{name}");
    }
    let mut early = Client::connect(address);
    early.send(&frame(TEXT, &vec![b' '; MESSAGE_BYTES_BEFORE_HELLO + 1]));
    assert_eq!(early.end(), 1009, "longer than a hello may be");
    let mut binary = Client::greeted(address);
    binary.send(&frame(BINARY, b"{}"));
    assert_eq!(binary.next().unwrap().number(), 4500, "a session speaks text");
    binary.send(&frame(CLOSE, &close(4500, b"")));
    assert_eq!(binary.next(), None);
    let mut plain = Client::greeted(address);
    plain.send(&frame(CLOSE, b""));
    assert_eq!(plain.next().map(|frame| (frame.first, frame.payload)), Some((CLOSE, vec![])), "7.3.1");
    assert_eq!(plain.next(), None, "the server ends TCP after the closing handshake");

    // None of it harmed the node.
    let mut last = Client::greeted(address);
    ask_oddly(&mut last);
}

/// What is allowed and seldom done: a request byte by byte on TCP and in fragments, with pings between, and one of full length.
fn ask_oddly(client: &mut Client) {
    let request = "{\"id\":2,\"method\":\"user.get\",\"params\":{\"handle\":\"nobody\"}}";
    let (first, rest) = request.split_at(1);
    client.send(&frame(FIRST_TEXT, first.as_bytes()));
    for part in rest.as_bytes().chunks(2) {
        client.send(&frame(PING, part));
        for byte in frame(MIDDLE, part) {
            client.send(&[byte]);
        }
        let pong = client.next().unwrap();
        assert_eq!((pong.first, &*pong.payload), (PONG, part), "control frames are answered within a message");
    }
    client.send(&frame(LAST, b""));
    let answer = client.next().unwrap();
    assert!(answer.text().contains("\"id\":2") && answer.text().contains("not_found"), "{}", answer.text());

    // Filled up to the limit; the ping must fit all the same.
    let filled = request.replace(":2,", ":3,") + &" ".repeat(MESSAGE_BYTES - request.len());
    client.send(&frame(FIRST_TEXT, filled.as_bytes()));
    client.send(&frame(PING, &[b'p'; 125]));
    client.send(&frame(LAST, b""));
    assert_eq!(client.next().unwrap().payload, [b'p'; 125]);
    let answer = client.next().unwrap();
    assert!(answer.text().contains("\"id\":3") && answer.text().contains("not_found"), "{}", answer.text());
    client.send(&frame(PONG, b"nobody asked"));
    client.send(&frame(CLOSE, &close(1000, b"")));
    assert_eq!(client.end(), 1000);
}
