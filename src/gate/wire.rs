//! The WebSocket frames the server sends, and writing them to a socket that is never waited for.

use std::io::{self, IoSlice};

use actix_http::ws::{self, OpCode, Parser};
use actix_rt::net::TcpStream;
use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use tidings_actors::frame::Framing;
use tidings_actors::link::Wire;
use tidings_protocol::close::CloseCode;

/// How this transport wraps what is sent.
pub(super) const FRAMING: Framing = Framing { text, ping, close };

/// The header of a frame that a server sends: it is not masked.
const fn header_bytes(payload: usize) -> usize {
    match payload {
        ..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    }
}

fn text(payload: &[u8]) -> Bytes {
    frame(payload, OpCode::Text)
}

fn ping() -> Bytes {
    frame(b"", OpCode::Ping)
}

fn close(code: CloseCode) -> Bytes {
    let reason = ws::CloseReason::from((ws::CloseCode::Other(code.number()), code.reason()));
    close_with(Some(reason))
}

/// A close frame of the transport's own (1000–1011), or an echo of the peer's.
pub(super) fn close_with(reason: Option<ws::CloseReason>) -> Bytes {
    let mut bytes = BytesMut::new();
    Parser::write_close(&mut bytes, reason, false);
    bytes.freeze()
}

/// Any other frame.
pub(super) fn frame(payload: &[u8], code: OpCode) -> Bytes {
    // To the byte: with room to spare it could be shared only by way of another allocation.
    let mut bytes = BytesMut::with_capacity(header_bytes(payload.len()) + payload.len());
    Parser::write_message(&mut bytes, payload, code, true, false);
    bytes.freeze()
}

/// A socket to write to without waiting.
pub(super) struct TcpWire(pub(super) TcpStream);

impl Wire for TcpWire {
    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    /// Straight to the kernel: tokio's note of whether the socket is writable lies elsewhere in memory, and is almost never of use here.
    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        match SockRef::from(&self.0).send(bytes) {
            // But it has to be put right: whoever waits for the socket would not wait.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.0.try_write(bytes),
            sent => sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_the_room_that_it_needs() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            assert_eq!(frame(&vec![b'x'; length], OpCode::Text).len(), header_bytes(length) + length, "{length}");
        }
    }
}
