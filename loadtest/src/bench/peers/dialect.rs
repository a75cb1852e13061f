//! What is said to each server: greetings, and an event of which every server makes a frame of the same length.
//! Must never favour one of them: all get the same text in the same envelope.

use std::collections::VecDeque;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tidings_protocol::feed::FeedName;
use tidings_protocol::request::Hello;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use super::nats;
use crate::frame;
use crate::raw::{self, Cutter, RawSocket, push_frame, push_text};

/// Before the length of a frame of 126 to 65,535 bytes, and with it.
const HEADER_BYTES: usize = 4;
/// Filled up behind its number, so that frames have the length that was asked for.
const ENVELOPE: (&str, &str) = (r#"{"feed":"home","event":"post.created","data":{"text":""#, r#""}}"#);
/// What socket.io puts around an event.
const SOCKET_IO: (&str, &str) = (r#"42["post","#, "]");
const BINARY: u8 = 2;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The product's protocol: the post goes through its database, its journal and its feeds.
    Tidings,
    /// A text comes in and goes out as it is.
    Plain,
    /// Engine.io 4 with socket.io 5 on top.
    SocketIo,
    /// NATS' own protocol in binary frames.
    Nats,
}

/// On which side of the server somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Is sent every event.
    Listener,
    /// Sends them, and hears none.
    Speaker,
}

/// An open and greeted connection.
pub struct Greeted {
    /// Not read further than the greeting.
    pub stream: std::net::TcpStream,
    /// Holds what came behind the greeting.
    pub cutter: Cutter,
}

impl Dialect {
    /// Opens the `index`th connection. The token is Tidings' alone: nobody else asks who one is.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn open(self, target: SocketAddr, index: usize, role: Role, token: Option<String>) -> Result<Greeted> {
        if self == Self::Tidings {
            let feeds = if role == Role::Listener { vec![FeedName::Home] } else { Vec::new() };
            let hello = Hello { token, feeds, limit: Some(1), ..Hello::default() };
            let (socket, _) = RawSocket::open(target, index, hello).await?;
            let (stream, cutter) = socket.into_parts();
            return Ok(Greeted { stream: stream.into_std()?, cutter });
        }
        let path = match (self, role) {
            (Self::SocketIo, _) => "/socket.io/?EIO=4&transport=websocket",
            (Self::Nats, _) => "/",
            (Self::Tidings | Self::Plain, Role::Listener) => "/listen",
            (Self::Tidings | Self::Plain, Role::Speaker) => "/speak",
        };
        let (stream, read_already) = raw::upgrade(target, index, path, None).await?;
        let mut greeting = Greeting { stream, cutter: Cutter::default(), heard: VecDeque::new() };
        greeting.take(&read_already);
        match self {
            Self::Tidings | Self::Plain => {}
            Self::SocketIo => greeting.socket_io().await?,
            Self::Nats => greeting.nats(role).await?,
        }
        ensure!(greeting.heard.is_empty(), "the server says more than its greeting");
        Ok(Greeted { stream: greeting.stream.into_std()?, cutter: greeting.cutter })
    }

    /// Appends what makes the server send the `number`th event, in frames of `wire_bytes`.
    ///
    /// # Errors
    /// None in practice: the text is a good post.
    pub fn push_event(self, to: &mut Vec<u8>, number: u64, wire_bytes: usize) -> Result<()> {
        match self {
            Self::Tidings => push_text(to, &frame::create(number, Uuid::now_v7(), &text(number))?),
            Self::Plain | Self::SocketIo => push_text(to, &self.payload(number, wire_bytes)),
            Self::Nats => push_frame(to, BINARY, &nats::publish(&self.payload(number, wire_bytes))),
        }
        Ok(())
    }

    /// What a listener must get for it: a frame's text, or NATS' payload.
    #[must_use]
    pub fn payload(self, number: u64, wire_bytes: usize) -> String {
        let around = match self {
            Self::Tidings | Self::Plain => ("", ""),
            Self::SocketIo => SOCKET_IO,
            Self::Nats => return envelope(number, wire_bytes - HEADER_BYTES - nats::AROUND_BYTES),
        };
        let inner = wire_bytes - HEADER_BYTES - around.0.len() - around.1.len();
        format!("{}{}{}", around.0, envelope(number, inner), around.1)
    }

    /// Whether this is the `number`th event as it should be.
    #[must_use]
    pub fn is_event(self, payload: &[u8], number: u64, wire_bytes: usize) -> bool {
        if self == Self::Tidings {
            // Its own envelope; what matters is that this very text was said.
            let wanted = format!("\"text\":\"{}\"", text(number));
            return payload.windows(wanted.len()).any(|part| part == wanted.as_bytes());
        }
        payload == self.payload(number, wire_bytes).as_bytes()
    }

    /// Cuts all that a listener was sent into the events' payloads.
    ///
    /// # Errors
    /// Bytes that are none of the dialect's.
    pub fn events(self, wire: &[u8]) -> Result<Vec<Vec<u8>>> {
        let (mut texts, mut binary) = (Vec::new(), Vec::new());
        Cutter::default().feed(wire, |opcode, payload| match opcode {
            raw::TEXT => texts.push(payload.to_vec()),
            BINARY => binary.extend_from_slice(payload),
            _ => {}
        });
        if self == Self::Nats {
            return nats::payloads(&binary);
        }
        texts.retain(|text| text.len() >= raw::EVENT_BYTES);
        Ok(texts)
    }
}

/// Numbers of one length, so that frames are.
fn text(number: u64) -> String {
    format!("n{number:010}")
}

fn envelope(number: u64, bytes: usize) -> String {
    let text = text(number);
    let filler = bytes.saturating_sub(ENVELOPE.0.len() + text.len() + ENVELOPE.1.len());
    format!("{}{text}{}{}", ENVELOPE.0, "x".repeat(filler), ENVELOPE.1)
}

/// The conversation before the first event.
struct Greeting {
    stream: TcpStream,
    cutter: Cutter,
    heard: VecDeque<Vec<u8>>,
}

impl Greeting {
    fn take(&mut self, bytes: &[u8]) {
        let heard = &mut self.heard;
        self.cutter.feed(bytes, |_, payload| heard.push_back(payload.to_vec()));
    }

    async fn hear(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(first) = self.heard.pop_front() {
                return Ok(first);
            }
            let mut bytes = Vec::new();
            ensure!(self.stream.read_buf(&mut bytes).await? > 0, "the server hung up during the greeting");
            self.take(&bytes);
        }
    }

    async fn expect(&mut self, start: &str) -> Result<()> {
        let heard = self.hear().await?;
        if !heard.starts_with(start.as_bytes()) {
            bail!("expected `{start}…`, heard `{}`", String::from_utf8_lossy(&heard));
        }
        Ok(())
    }

    async fn say(&mut self, opcode: u8, words: &str) -> Result<()> {
        let mut wire = Vec::new();
        push_frame(&mut wire, opcode, words.as_bytes());
        self.stream.write_all(&wire).await.context("the greeting was not taken")
    }

    async fn socket_io(&mut self) -> Result<()> {
        self.expect("0{").await?;
        self.say(raw::TEXT, "40").await?;
        self.expect("40{").await
    }

    async fn nats(&mut self, role: Role) -> Result<()> {
        self.expect("INFO ").await?;
        self.say(BINARY, nats::connect(role == Role::Listener)).await?;
        self.expect("PONG\r\n").await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE_BYTES: usize = 287;

    #[test]
    fn every_server_makes_frames_of_the_same_length() {
        for dialect in [Dialect::Plain, Dialect::SocketIo, Dialect::Nats] {
            let payload = dialect.payload(7, WIRE_BYTES);
            let sent = if dialect == Dialect::Nats { nats::delivery(&payload) } else { payload.into_bytes() };
            assert_eq!(HEADER_BYTES + sent.len(), WIRE_BYTES, "{dialect:?}");
        }
    }

    #[test]
    fn another_number_or_text_is_not_the_event() {
        for dialect in [Dialect::Plain, Dialect::SocketIo, Dialect::Nats] {
            let payload = dialect.payload(7, WIRE_BYTES).into_bytes();
            assert!(dialect.is_event(&payload, 7, WIRE_BYTES));
            assert!(!dialect.is_event(&payload, 8, WIRE_BYTES));
            assert!(!dialect.is_event(&payload[1..], 7, WIRE_BYTES));
        }
        assert!(Dialect::Tidings.is_event(br#"{"text":"n0000000007"}"#, 7, WIRE_BYTES));
        assert!(!Dialect::Tidings.is_event(br#"{"text":"n0000000008"}"#, 7, WIRE_BYTES));
    }

    #[test]
    fn what_socket_io_is_sent_is_json() {
        let payload = Dialect::SocketIo.payload(7, WIRE_BYTES);
        let event: serde_json::Value = serde_json::from_str(payload.strip_prefix("42").unwrap()).unwrap();
        assert_eq!(event[0], "post");
        assert!(event[1]["data"]["text"].as_str().unwrap().starts_with("n0000000007x"));
    }
}
