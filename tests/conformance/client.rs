//! A client that sends whatever bytes it is told to and reads frames by hand.
//! Must never correct what it sends, and never wait without end.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long any single answer may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);
pub const SUBPROTOCOL: &str = "Sec-WebSocket-Protocol: tidings.v1.json\r\n";

/// First byte of a frame: final, and its opcode.
pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;
/// A fragment that is not the last one.
pub const FIRST_TEXT: u8 = 0x01;
pub const MIDDLE: u8 = 0x00;
pub const LAST: u8 = 0x80;

/// A connection.
pub struct Client {
    pub stream: TcpStream,
}

/// What an answer to a request begins with.
pub struct Head {
    pub status: u16,
    pub text: String,
}

/// A frame of the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub first: u8,
    pub payload: Vec<u8>,
}

/// A request for a WebSocket with these lines more; without those that a line here names again.
pub fn upgrade(first: &str, lines: &str) -> String {
    let mut head = format!("{first}\r\n");
    for line in [
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ] {
        let name = line.split_inclusive(':').next().unwrap();
        if !lines.contains(name) {
            head += &format!("{line}\r\n");
        }
    }
    head + lines + "\r\n"
}

/// A masked frame, with its length as short as it can be.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        middle @ 126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(middle).unwrap().to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The payload of a close frame.
pub fn close(number: u16, reason: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes(), reason].concat()
}

impl Client {
    /// A TCP connection and no more.
    pub fn dial(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    /// A WebSocket before `hello`.
    pub fn connect(address: SocketAddr) -> Self {
        let mut client = Self::dial(address);
        let head = client.ask(&upgrade("GET /api/v1/ws HTTP/1.1", SUBPROTOCOL));
        assert_eq!(head.status, 101, "{}", head.text);
        client
    }

    /// A WebSocket after an anonymous `hello`.
    pub fn greeted(address: SocketAddr) -> Self {
        let mut client = Self::connect(address);
        client.send(&frame(TEXT, br#"{"id":1,"method":"hello","params":{"client":"conformance/1"}}"#));
        let answer = client.next().unwrap();
        assert!(answer.text().contains(r#""result""#), "{}", answer.text());
        client
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends a request and reads the head of its answer.
    pub fn ask(&mut self, request: &str) -> Head {
        self.send(request.as_bytes());
        self.head()
    }

    /// Reads the head of an answer.
    pub fn head(&mut self) -> Head {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            let [byte] = self.exactly().expect("the head of an answer");
            text.push(byte);
        }
        let text = String::from_utf8(text).unwrap();
        Head { status: text.split(' ').nth(1).unwrap().parse().unwrap(), text }
    }

    /// The next frame; none when the server has ended the connection in order.
    pub fn next(&mut self) -> Option<Frame> {
        let [first, length] = self.exactly()?;
        let length = match length {
            126 => u64::from(u16::from_be_bytes(self.exactly()?)),
            127 => u64::from_be_bytes(self.exactly()?),
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload).unwrap();
        Some(Frame { first, payload })
    }

    /// The close number that comes after any other frames, if the server then ends the TCP connection, without a reset.
    pub fn end(&mut self) -> u16 {
        let mut number = None;
        while let Some(frame) = self.next() {
            assert!(number.is_none(), "{frame:?} after the close frame");
            if frame.first == CLOSE {
                number = Some(frame.number());
            }
        }
        number.expect("a close frame before the end")
    }

    /// Exactly so many bytes; none at the end of the connection.
    fn exactly<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        match self.stream.read_exact(&mut bytes) {
            Ok(()) => Some(bytes),
            Err(fault) if fault.kind() == ErrorKind::UnexpectedEof => None,
            Err(fault) => panic!("{fault}"),
        }
    }
}

impl Frame {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.payload).unwrap()
    }

    /// Of a close frame.
    pub fn number(&self) -> u16 {
        u16::from_be_bytes([self.payload[0], self.payload[1]])
    }
}
