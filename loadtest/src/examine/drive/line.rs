//! One connection of a client: what is in flight on it, and how long it has been silent.
//! Must never interpret what comes: that is `hearing`.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tidings_protocol::position::Cursor;
use tidings_protocol::request::Method;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::{self, Message};

use super::client::End;
use super::intent::Task;
use crate::frame::encode;
use crate::link::Socket;

/// A socket that takes nothing for so long is lost.
const JAMMED: Duration = Duration::from_secs(6);
/// For the last frame of a conversation.
const FAREWELL: Duration = Duration::from_millis(200);

/// A connection.
pub struct Line {
    /// Of all connections.
    pub number: u64,
    /// Which of the URLs.
    pub node: u32,
    /// The log-in whose token was given.
    pub login: u64,
    /// The cursor that was given.
    pub given: Option<Cursor>,
    /// Not answered yet, by number.
    pub flight: BTreeMap<u64, Task>,
    /// `hello` was answered.
    pub greeted: bool,
    /// The journal's life, as told.
    pub epoch: u64,
    /// The node is leaving: wait for answers until then, and be away for so long.
    pub leaving: Option<(Instant, Duration)>,
    /// Since when.
    pub opened: Instant,
    /// When anything at all came.
    pub heard: Instant,
    socket: Socket,
}

impl Line {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new(number: u64, node: u32, login: u64, socket: Socket) -> Self {
        let now = Instant::now();
        Self {
            number,
            node,
            login,
            given: None,
            flight: BTreeMap::new(),
            greeted: false,
            epoch: 0,
            leaving: None,
            opened: now,
            heard: now,
            socket,
        }
    }

    /// The next message.
    pub async fn next(&mut self) -> Option<Result<Message, tungstenite::Error>> {
        self.socket.next().await
    }

    /// Sends a request.
    pub async fn send(&mut self, request: u64, method: Method) -> Result<(), End> {
        let wire = encode(request, method).map_err(|cause| End::ours(cause.to_string()))?;
        self.push(Message::text(wire)).await
    }

    /// Asks for a sign of life.
    pub async fn ping(&mut self) -> Result<(), End> {
        self.push(Message::Ping(Vec::new().into())).await
    }

    async fn push(&mut self, message: Message) -> Result<(), End> {
        match timeout(JAMMED, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(cause)) => Err(End::lost(format!("could not send: {cause}"))),
            Err(_) => Err(End::ours("the socket is jammed")),
        }
    }

    /// Answers a close with a close; that it is lost does no harm.
    pub async fn say_goodbye(&mut self) {
        drop(timeout(FAREWELL, self.socket.close(None)).await);
    }
}
