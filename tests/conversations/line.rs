//! One WebSocket connection of a test client: raw frames out, typed frames in, each wait with a deadline.
//! Must never hide what the wire does: a frame the protocol crate cannot read is a failed test.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tidings_protocol::position::Seq;
use tidings_protocol::push::{Notice, ServerFrame};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long a person waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// What a connection that ended without a close frame is told as, as browsers do.
pub const CUT: u16 = 1006;

/// What came.
#[derive(Debug)]
pub enum Arrival {
    Frame(ServerFrame),
    /// The connection is over, with this number.
    Close(u16),
}

/// A connection.
pub struct Line {
    socket: WebSocketStream<TcpStream>,
    /// `seq` never goes back on one connection, across all feeds (P3).
    last_seq: Seq,
    /// Every frame as it came, where that is asked for.
    pub record: Option<String>,
}

/// How to connect.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dial<'a> {
    pub origin: Option<&'a str>,
    /// Receive buffer of the socket; the system's default if none.
    pub receive_bytes: Option<u32>,
}

impl Line {
    /// Connects, without `hello`. The status of the answer where the upgrade was refused.
    pub async fn dial(address: SocketAddr, dial: Dial<'_>) -> Result<Self, StatusCode> {
        let mut request = format!("ws://{address}/api/v1/ws").into_client_request().expect("a URL");
        let headers = request.headers_mut();
        let subprotocol = HeaderValue::from_static("tidings.v1.json");
        headers.insert("sec-websocket-protocol", subprotocol);
        if let Some(origin) = dial.origin {
            headers.insert("origin", origin.parse().expect("a header"));
        }
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(bytes) = dial.receive_bytes {
            socket.set_recv_buffer_size(bytes).expect("a buffer size");
        }
        let stream = socket.connect(address).await.expect("the node listens");
        stream.set_nodelay(true).expect("an open socket");
        let upgrading = tokio_tungstenite::client_async(request, stream);
        match timeout(PATIENCE, upgrading).await.expect("an answer") {
            Ok((socket, response)) => {
                let chosen = response.headers().get("sec-websocket-protocol");
                assert_eq!(chosen.map(HeaderValue::as_bytes), Some(&b"tidings.v1.json"[..]));
                Ok(Self { socket, last_seq: Seq(0), record: None })
            }
            Err(Error::Http(response)) => Err(response.status()),
            Err(other) => panic!("no upgrade: {other}"),
        }
    }

    /// Sends one message of any kind. False when the connection is over.
    pub async fn send(&mut self, message: Message) -> bool {
        let sent = timeout(PATIENCE, self.socket.send(message)).await;
        sent.expect("the node takes what is sent").is_ok()
    }

    /// Sends several messages as one write, so that the node finds them all at once.
    pub async fn send_together(&mut self, messages: Vec<Message>) -> bool {
        let mut messages = futures_util::stream::iter(messages.into_iter().map(Ok));
        let sent = timeout(PATIENCE, self.socket.send_all(&mut messages)).await;
        sent.expect("the node takes what is sent").is_ok()
    }

    /// What comes next. Pings are answered on the way.
    pub async fn next(&mut self) -> Arrival {
        let waited = timeout(PATIENCE, self.next_whenever()).await;
        waited.expect("nothing came within the deadline")
    }

    /// What comes next, however long it takes.
    pub async fn next_whenever(&mut self) -> Arrival {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return self.read(&text),
                Some(Ok(Message::Close(frame))) => {
                    let number = frame.map_or(1005, |frame| frame.code.into());
                    // Reading on completes the closing handshake; the server must drop TCP after it.
                    let over = async { while let Some(Ok(_)) = self.socket.next().await {} };
                    timeout(PATIENCE, over).await.expect("the end of TCP");
                    return Arrival::Close(number);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other @ (Message::Binary(_) | Message::Frame(_)))) => {
                    panic!("not a text frame: {other:?}")
                }
                Some(Err(_)) | None => return Arrival::Close(CUT),
            }
        }
    }

    fn read(&mut self, text: &str) -> Arrival {
        if let Some(record) = &mut self.record {
            record.push_str(text);
            record.push('\n');
        }
        let frame: ServerFrame =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("not a frame of the protocol ({error}): {text}"));
        if let ServerFrame::Feed(push) = &frame {
            assert!(push.seq >= self.last_seq, "seq goes back to {}", push.seq);
            self.last_seq = push.seq;
        } else if let ServerFrame::Notice(Notice::Resync { .. }) = &frame {
            // The journal's new life counts from anew.
            self.last_seq = Seq(0);
        }
        Arrival::Frame(frame)
    }
}
