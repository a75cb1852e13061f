//! axum with tokio's broadcast channel: a task for each connection, which takes from the channel and sends.
//! Must never lag: the channel holds far more than is ever on its way.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use axum::serve::ListenerExt as _;
use futures_util::{SinkExt as _, StreamExt as _};
use tidings_peers::{LISTEN, SPEAK, listener, tell};
use tokio::net::TcpListener;
use tokio::sync::broadcast::{Sender, channel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ON_THEIR_WAY: usize = 1024;

type Room = Arc<Sender<Utf8Bytes>>;

// One core: tokio's runtime for many would only add its own cost.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let room: Room = Arc::new(channel(ON_THEIR_WAY).0);
    let app = Router::new().route(LISTEN, any(listen)).route(SPEAK, any(speak)).with_state(room);
    let listener = TcpListener::from_std(listener()?)?;
    tell(listener.local_addr()?)?;
    let listener = listener.tap_io(|stream| {
        if let Err(cause) = stream.set_nodelay(true) {
            eprintln!("no TCP_NODELAY: {cause}");
        }
    });
    Ok(axum::serve(listener, app).await?)
}

async fn listen(upgrade: WebSocketUpgrade, State(room): State<Room>) -> Response {
    upgrade.on_upgrade(move |socket| deliver(socket, room))
}

/// Two tasks, as in axum's own chat example: one that polled for both would try to read before each event, for several µs.
async fn deliver(socket: WebSocket, room: Room) {
    let mut news = room.subscribe();
    let (mut to, mut from) = socket.split();
    let sending = tokio::spawn(async move {
        loop {
            let text = news.recv().await.expect("the sender outlives us, and nobody lags");
            if to.send(Message::Text(text)).await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(_)) = from.next().await {}
    sending.abort();
}

async fn speak(upgrade: WebSocketUpgrade, State(room): State<Room>) -> Response {
    upgrade.on_upgrade(move |mut socket| async move {
        while let Some(Ok(message)) = socket.recv().await {
            if let Message::Text(text) = message {
                // Nobody listens yet: then nobody is told.
                drop(room.send(text));
            }
        }
    })
}
