//! One WebSocket to a server: dialling from a chosen loopback address, the handshake, and `hello`.
//! Must never keep what it receives: that is the caller's.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use tidings_protocol::reply::Welcome;
use tidings_protocol::request::{Hello, Method};
use tidings_protocol::{SUBPROTOCOL, WEBSOCKET_PATH};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::frame::{Frame, encode};
use crate::machine;

/// An open WebSocket.
pub type Socket = WebSocketStream<TcpStream>;

/// What one read buffer holds; the default of 128 KiB times thousands of connections would be the harness' main memory.
const READ_BUFFER_BYTES: usize = 8 * 1024;
/// A server that does not answer the handshake or `hello` by then is taken for dead.
const PATIENCE: Duration = Duration::from_secs(30);

/// Finds the address of an `http://` URL.
///
/// # Errors
/// Not an `http://` URL, or the name is not known.
pub async fn resolve(url: &str) -> Result<SocketAddr> {
    let parsed = reqwest::Url::parse(url).with_context(|| format!("`{url}` is not a URL"))?;
    if parsed.scheme() != "http" {
        bail!("`{url}`: the harness speaks http:// only; put TLS aside for load tests");
    }
    let host = parsed.host_str().context("no host in the URL")?.to_owned();
    let port = parsed.port_or_known_default().context("no port in the URL")?;
    tokio::net::lookup_host((host.as_str(), port)).await?.next().with_context(|| format!("`{host}` has no address"))
}

/// Opens TCP for the `index`th connection.
///
/// # Errors
/// The server cannot be reached.
pub async fn dial(target: SocketAddr, index: usize) -> Result<TcpStream> {
    dial_with(target, index, None).await
}

async fn dial_with(target: SocketAddr, index: usize, receive_bytes: Option<u32>) -> Result<TcpStream> {
    let socket = if target.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(source) = machine::source_for(index, target.ip()) {
        socket.bind((source, 0).into())?;
    }
    if let Some(bytes) = receive_bytes {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.set_nodelay(true)?;
    socket.connect(target).await.with_context(|| format!("cannot connect to {target}"))
}

/// Opens the WebSocket of the `index`th connection.
///
/// # Errors
/// The server cannot be reached or refuses the upgrade.
pub async fn open(target: SocketAddr, index: usize) -> Result<Socket> {
    open_with(target, index, None).await
}

/// The same with a receive buffer of this size. A reader that is to be slow needs a small one: by itself the kernel takes
/// up to 6 MiB on its behalf, and the server notices nothing.
///
/// # Errors
/// The server cannot be reached or refuses the upgrade.
pub async fn open_with(target: SocketAddr, index: usize, receive_bytes: Option<u32>) -> Result<Socket> {
    let stream = dial_with(target, index, receive_bytes).await?;
    let mut request = format!("ws://{target}{WEBSOCKET_PATH}").into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).write_buffer_size(0);
    let shaking = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
    let (socket, _) =
        tokio::time::timeout(PATIENCE, shaking).await.context("no answer to the WebSocket handshake")??;
    Ok(socket)
}

/// Says `hello` and waits for the answer, which is the first thing the server sends.
///
/// # Errors
/// The server refuses, says something else, or nothing.
pub async fn greet(socket: &mut Socket, hello: Hello) -> Result<Welcome> {
    let welcome = ask(socket, 0, Method::Hello(hello)).await?;
    serde_json::from_str(&welcome).context("`hello` was answered in an unknown form")
}

/// Sends one request and waits for its result, as JSON; only for connections to which nothing else is sent meanwhile.
///
/// # Errors
/// A refusal, a close or silence.
pub async fn ask(socket: &mut Socket, id: u64, method: Method) -> Result<String> {
    let name = method.name();
    socket.send(Message::text(encode(id, method)?)).await?;
    loop {
        let next = tokio::time::timeout(PATIENCE, socket.next()).await;
        let message = next.with_context(|| format!("no answer to `{name}`"))?.context("the server hung up")??;
        match message {
            Message::Text(text) => {
                let frame = Frame::read(&text)?;
                if let Some(refusal) = frame.error {
                    return Err(anyhow!(Refused(refusal)));
                }
                if frame.id == Some(id) {
                    return Ok(frame.result.context("a reply without a result")?.get().to_owned());
                }
            }
            Message::Close(why) => {
                bail!("the server closed instead of answering `{name}`: {}", close_words(why.as_ref()))
            }
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}

/// A refusal as an error, so that callers can find it again.
#[derive(Debug)]
pub struct Refused(pub tidings_protocol::error::Refusal);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "refused ({:?}): {}", self.0.code, self.0.message)
    }
}

impl std::error::Error for Refused {}

/// A close frame in words.
#[must_use]
pub fn close_words(frame: Option<&tokio_tungstenite::tungstenite::protocol::CloseFrame>) -> String {
    frame.map_or_else(|| "without a reason".to_owned(), |frame| format!("{} {}", u16::from(frame.code), frame.reason))
}
