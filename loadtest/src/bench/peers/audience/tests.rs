//! The audience against toy servers: one that is right, and some that are wrong in one way each, which must be found out.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;

const WIRE_BYTES: usize = 287;
const LISTENERS: usize = 3;
/// Within the events that are looked at one by one, and behind them.
const EARLY: u64 = 7;
const LATE: u64 = CHECKED + 5;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nothing,
    Drops(u64),
    Doubles(u64),
    Swaps(u64),
    Alters(u64),
}

/// Everything goes to everybody; what is wrong, to the last listener alone.
fn serve(wrong: Wrong) -> SocketAddr {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = door.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut listeners = Vec::new();
        let mut speaker = loop {
            let (mut stream, _) = door.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").unwrap();
            if request.starts_with(b"GET /speak") {
                break stream;
            }
            listeners.push(stream);
        };
        let mut unlucky = listeners.pop().unwrap();
        let (mut number, mut held) = (0, None);
        // Until the audience leaves.
        while let Some(frame) = hear(&mut speaker) {
            number += 1;
            for listener in &mut listeners {
                listener.write_all(&frame).ok();
            }
            let frames = match wrong {
                Wrong::Drops(which) if which == number => vec![],
                Wrong::Doubles(which) if which == number => vec![frame.clone(), frame],
                Wrong::Alters(which) if which == number => vec![[&frame[..60], b"?", &frame[61..]].concat()],
                Wrong::Swaps(which) if which == number => {
                    held = Some(frame);
                    vec![]
                }
                Wrong::Nothing | Wrong::Drops(_) | Wrong::Doubles(_) | Wrong::Swaps(_) | Wrong::Alters(_) => {
                    [Some(frame), held.take()].into_iter().flatten().collect()
                }
            };
            unlucky.write_all(&frames.concat()).ok();
        }
    });
    address
}

/// A client's frame as a server's.
fn hear(speaker: &mut TcpStream) -> Option<Vec<u8>> {
    let mut header = [0; 8];
    speaker.read_exact(&mut header).ok()?;
    let mut frame = vec![0; 4 + usize::from(u16::from_be_bytes([header[2], header[3]]))];
    frame[..4].copy_from_slice(&[header[0], 126, header[2], header[3]]);
    speaker.read_exact(&mut frame[4..]).ok()?;
    Some(frame)
}

fn listen_to(wrong: Wrong) -> Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut audience = runtime.block_on(Audience::gather(Dialect::Plain, serve(wrong), LISTENERS, &[])).unwrap();
    audience.patience = Duration::from_millis(300);
    assert_eq!(audience.check(WIRE_BYTES)?, WIRE_BYTES);
    for in_flight in [1, 16] {
        audience.press(in_flight, Duration::from_millis(20))?;
    }
    Ok(audience.heard)
}

#[test]
fn a_server_that_is_right_is_counted() {
    let heard = listen_to(Wrong::Nothing).unwrap();
    assert!(heard > CHECKED * 3 && heard.is_multiple_of(3), "{heard}");
}

#[test]
fn a_server_that_is_wrong_is_found_out() {
    for (wrong, complaint) in [
        (Wrong::Drops(EARLY), "did not reach everybody"),
        (Wrong::Doubles(EARLY), "listener"),
        (Wrong::Swaps(EARLY), "in place of event 7"),
        (Wrong::Alters(EARLY), "in place of event 7"),
        (Wrong::Drops(LATE), "did not reach everybody"),
        (Wrong::Doubles(LATE), "heard"),
    ] {
        let said = format!("{:#}", listen_to(wrong).expect_err(&format!("{wrong:?}")));
        assert!(said.contains(complaint), "{wrong:?}: {said}");
    }
}

fn pace(wrong: Wrong, per_second: f64) -> Result<Vec<Part>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut audience = runtime.block_on(Audience::gather(Dialect::Plain, serve(wrong), LISTENERS, &[])).unwrap();
    audience.patience = Duration::from_millis(300);
    audience.check(WIRE_BYTES)?;
    audience.pace(per_second, Duration::from_millis(100))
}

#[test]
fn at_a_pace_every_delivery_counts_in_its_part_of_the_run() {
    let parts = pace(Wrong::Nothing, 1_000.0).unwrap();
    let counts: Vec<_> = parts.iter().map(|part| part.late.len()).collect();
    assert_eq!(counts, [25 * LISTENERS as u64; 4]);
}

#[test]
fn at_a_pace_a_server_that_is_wrong_is_found_out() {
    for (wrong, complaint) in [(Wrong::Drops(LATE), "did not reach everybody"), (Wrong::Doubles(LATE), "heard")] {
        let said = format!("{:#}", pace(wrong, 1_000.0).err().unwrap());
        assert!(said.contains(complaint), "{wrong:?}: {said}");
    }
}

#[test]
fn lateness_counts_from_when_an_event_was_due() {
    let began = Instant::now().checked_sub(Duration::from_millis(500)).unwrap();
    let mut lateness = Lateness::new(began, 10, 10.0, 1).unwrap();
    lateness.heard(0, 12);
    let late: Vec<_> = lateness.parts.iter().map(|part| (part.late.len(), part.late.max() / 10_000)).collect();
    assert_eq!(late, [(1, 50), (1, 40), (0, 0), (0, 0)]);
}
