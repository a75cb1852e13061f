//! A WebSocket with as little client in it as possible: frames are counted where they lie, nothing is allocated per frame.
//! For measurements in which the harness must not be the bottleneck. Must never be used where content is checked.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tidings_protocol::reply::Welcome;
use tidings_protocol::request::{Hello, Method};
use tidings_protocol::{SUBPROTOCOL, WEBSOCKET_PATH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::frame::{Frame, encode};
use crate::link;

/// What one read takes at most; one buffer serves all sockets of the thread.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// Texts below this are notices (a heartbeat has about 60 bytes), not events with a post.
pub const EVENT_BYTES: usize = 128;
/// The opcode of a text.
pub const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Cuts a server's bytes into frames, wherever the reads happen to end.
#[derive(Default)]
pub struct Cutter {
    /// The beginning of a frame whose end has not come yet.
    parked: Vec<u8>,
    /// Rest of a text that is counted, not kept.
    skip: usize,
    /// Length of the last text that was counted, with its header.
    last: usize,
}

/// The parts of a frame at the beginning of `bytes`, if its header is whole.
struct Header {
    opcode: u8,
    header: usize,
    payload: usize,
}

fn header(bytes: &[u8]) -> Option<Header> {
    // Servers never mask, and this one never fragments.
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (header, payload) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    Some(Header { opcode: first & 0x0f, header, payload })
}

impl Cutter {
    /// Takes what was read and gives out whole frames: opcode and payload.
    pub fn feed(&mut self, bytes: &[u8], mut on_frame: impl FnMut(u8, &[u8])) {
        let parked = std::mem::take(&mut self.parked);
        let joined;
        let mut rest = if parked.is_empty() {
            bytes
        } else {
            joined = [&parked[..], bytes].concat();
            &joined
        };
        while let Some(found) = header(rest) {
            let Some(payload) = rest.get(found.header..found.header + found.payload) else {
                break;
            };
            on_frame(found.opcode, payload);
            rest = &rest[found.header + found.payload..];
        }
        self.parked = rest.to_vec();
    }

    /// Takes what was read and counts events without keeping any; frames that are no texts are given out.
    pub fn count(&mut self, bytes: &[u8], mut on_other: impl FnMut(u8, &[u8])) -> u64 {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        let parked = std::mem::take(&mut self.parked);
        let joined;
        let mut rest = &bytes[skipped..];
        if !parked.is_empty() {
            joined = [&parked[..], rest].concat();
            rest = &joined;
        }
        let mut texts = 0;
        while let Some(found) = header(rest) {
            let end = found.header + found.payload;
            if found.opcode == TEXT {
                if found.payload >= EVENT_BYTES {
                    texts += 1;
                    self.last = end;
                }
                self.skip = end.saturating_sub(rest.len());
                rest = &rest[end.min(rest.len())..];
            } else {
                let Some(payload) = rest.get(found.header..end) else {
                    break;
                };
                on_other(found.opcode, payload);
                rest = &rest[end..];
            }
        }
        self.parked = rest.to_vec();
        texts
    }
}

/// A client's frame. The mask is all zeros: it is allowed to be any, and the server works as hard for this one.
pub fn push_frame(to: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    to.push(0x80 | opcode);
    match payload.len() {
        short @ 0..=125 => to.push(0x80 | u8::try_from(short).unwrap_or(0)),
        length => {
            to.push(0x80 | 126);
            to.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    to.extend([0; 4]);
    to.extend(payload);
}

/// A client's text; at most 65,535 bytes, which the protocol's own limit keeps.
pub fn push_text(to: &mut Vec<u8>, text: &str) {
    push_frame(to, TEXT, text.as_bytes());
}

/// Opens the `index`th connection and upgrades it; gives what came behind the server's answer as well.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn upgrade(
    target: SocketAddr,
    index: usize,
    path: &str,
    subprotocol: Option<&str>,
) -> Result<(TcpStream, Vec<u8>)> {
    let mut stream = link::dial(target, index).await?;
    let subprotocol = subprotocol.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n")).unwrap_or_default();
    // The key is the example of RFC 6455: what matters is that the server does its part of the handshake.
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {target}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{subprotocol}\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let body = loop {
        ensure!(stream.read_buf(&mut answer).await? > 0, "the server hung up during the handshake");
        if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    ensure!(answer.starts_with(b"HTTP/1.1 101"), "no upgrade: {}", String::from_utf8_lossy(&answer));
    let read_already = answer.split_off(body);
    Ok((stream, read_already))
}

/// An open and greeted connection.
pub struct RawSocket {
    stream: TcpStream,
    cutter: Cutter,
}

/// What a read brought.
pub enum Took {
    /// So many text frames.
    Texts(u64),
    /// The server hung up.
    End,
}

impl RawSocket {
    /// Connects, upgrades and says `hello`.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn open(target: SocketAddr, index: usize, hello: Hello) -> Result<(Self, Welcome)> {
        Self::resume(target, index, hello, |_| ()).await
    }

    /// The same; gives out the texts that came together with the answer, behind it.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn resume(
        target: SocketAddr,
        index: usize,
        hello: Hello,
        on_text: impl FnMut(&[u8]),
    ) -> Result<(Self, Welcome)> {
        let (stream, read_already) = upgrade(target, index, WEBSOCKET_PATH, Some(SUBPROTOCOL)).await?;
        let mut socket = Self { stream, cutter: Cutter::default() };
        let mut wire = Vec::new();
        push_text(&mut wire, &encode(0, Method::Hello(hello))?);
        socket.stream.write_all(&wire).await?;
        let welcome = socket.welcome(read_already, on_text).await?;
        Ok((socket, welcome))
    }

    /// The bare line, for a loop of its own, and what has been read of it.
    #[must_use]
    pub fn into_parts(self) -> (TcpStream, Cutter) {
        (self.stream, self.cutter)
    }

    async fn welcome(&mut self, mut bytes: Vec<u8>, mut on_text: impl FnMut(&[u8])) -> Result<Welcome> {
        loop {
            let mut answer: Option<Vec<u8>> = None;
            self.cutter.feed(&bytes, |opcode, payload| {
                if answer.is_some() && opcode == TEXT {
                    on_text(payload);
                } else if opcode == TEXT || opcode == CLOSE {
                    answer.get_or_insert_with(|| payload.to_vec());
                }
            });
            if let Some(answer) = answer {
                let text = std::str::from_utf8(&answer).context("closed instead of answering `hello`")?;
                let frame = Frame::read(text)?;
                if let Some(refusal) = frame.error {
                    bail!("`hello` refused: {}", refusal.message);
                }
                return Ok(serde_json::from_str(frame.result.context("no result")?.get())?);
            }
            bytes.clear();
            ensure!(self.stream.read_buf(&mut bytes).await? > 0, "the server hung up instead of answering `hello`");
        }
    }

    /// Sends what has been gathered with [`push_text`].
    ///
    /// # Errors
    /// The line is lost.
    pub async fn write(&mut self, frames: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(frames).await?)
    }

    /// Length on the wire of the last event that was counted.
    #[must_use]
    pub fn last_event_bytes(&self) -> usize {
        self.cutter.last
    }

    /// Waits for bytes and counts the events in them; answers pings.
    ///
    /// # Errors
    /// The line is lost.
    pub async fn count(&mut self, buffer: &std::cell::RefCell<Vec<u8>>) -> Result<Took> {
        let mut pongs = Vec::new();
        let texts = loop {
            self.stream.readable().await?;
            let mut chunk = buffer.borrow_mut();
            match self.stream.try_read(&mut chunk) {
                Ok(0) => return Ok(Took::End),
                Ok(length) => {
                    break self
                        .cutter
                        .count(&chunk[..length], |opcode, payload| answer_ping(&mut pongs, opcode, payload));
                }
                Err(cause) if cause.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(cause) => return Err(cause.into()),
            }
        };
        if !pongs.is_empty() {
            self.stream.write_all(&pongs).await?;
        }
        Ok(Took::Texts(texts))
    }

    /// Waits for bytes and gives out the texts in them; answers pings.
    ///
    /// # Errors
    /// The line is lost.
    pub async fn texts(&mut self, buffer: &mut [u8], mut on_text: impl FnMut(&[u8])) -> Result<Took> {
        let length = self.stream.read(buffer).await?;
        let mut pongs = Vec::new();
        let mut texts = 0;
        self.cutter.feed(&buffer[..length], |opcode, payload| {
            if opcode == TEXT {
                texts += 1;
                on_text(payload);
            } else {
                answer_ping(&mut pongs, opcode, payload);
            }
        });
        if !pongs.is_empty() {
            self.stream.write_all(&pongs).await?;
        }
        Ok(if length == 0 { Took::End } else { Took::Texts(texts) })
    }
}

/// Answers a ping; other frames are passed over.
pub fn answer_ping(pongs: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    if opcode == PING {
        push_frame(pongs, PONG, payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x80 | opcode];
        match u16::try_from(payload.len()) {
            Ok(short @ 0..=125) => frame.push(u8::try_from(short).unwrap()),
            Ok(length) => {
                frame.push(126);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => {
                frame.push(127);
                frame.extend((payload.len() as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        frame
    }

    fn stream() -> Vec<u8> {
        [
            server_frame(TEXT, b"short"),
            server_frame(PING, b"?"),
            server_frame(TEXT, &[b'm'; 300]),
            server_frame(TEXT, &[b'l'; 70_000]),
            server_frame(TEXT, b""),
            server_frame(CLOSE, &[0x0f, 0xa0]),
        ]
        .concat()
    }

    #[test]
    fn frames_are_cut_and_counted_wherever_the_reads_end() {
        for chunk in [1, 2, 3, 7, 301, 4096, 1 << 20] {
            let (mut cutter, mut counter) = (Cutter::default(), Cutter::default());
            let (mut lengths, mut others, mut counted) = (Vec::new(), Vec::new(), 0);
            for bytes in stream().chunks(chunk) {
                cutter.feed(bytes, |opcode, payload| {
                    if opcode == TEXT {
                        lengths.push(payload.len());
                    }
                });
                counted += counter.count(bytes, |opcode, payload| others.push((opcode, payload.to_vec())));
            }
            assert_eq!(counter.last, 70_010, "chunks of {chunk}");
            assert_eq!(lengths, [5, 300, 70_000, 0], "chunks of {chunk}");
            assert_eq!(counted, 2, "chunks of {chunk}");
            assert_eq!(others, [(PING, b"?".to_vec()), (CLOSE, vec![0x0f, 0xa0])], "chunks of {chunk}");
        }
    }

    #[test]
    fn what_we_send_is_masked_and_whole() {
        let mut wire = Vec::new();
        push_text(&mut wire, &"x".repeat(200));
        assert_eq!(wire[..4], [0x81, 0xfe, 0, 200]);
        assert_eq!(wire.len(), 4 + 4 + 200);
    }
}
