//! A client with nothing in it but the protocol: frames as JSON values, the cursor rule, and the number a connection ended with.
//! Must never wait without a deadline.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use uuid::Uuid;

/// How long anybody waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// What a connection that ended without a close frame is told as, as browsers do.
pub const CUT: u16 = 1006;

/// A way to sign up: one account, its access token.
pub async fn signs_up(address: SocketAddr, handle: &str) -> String {
    let body = json!({
        "handle": handle, "email": format!("{handle}@example.org"), "password": "correct horse battery staple",
    });
    let sending = reqwest::Client::new().post(format!("http://{address}/api/v1/users")).json(&body).send();
    let answer = timeout(PATIENCE, sending).await.expect("an answer in time").expect("an answer");
    let status = answer.status();
    let body = answer.text().await.expect("a whole answer");
    assert_eq!(status.as_u16(), 201, "{body}");
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    answer["access_token"].as_str().expect("a token").to_owned()
}

/// One number of `/metrics`, all its labels that hold `label` together.
pub async fn number(address: SocketAddr, name: &str, label: &str) -> f64 {
    let asking = async { reqwest::get(format!("http://{address}/metrics")).await?.text().await };
    let page = timeout(PATIENCE, asking).await.expect("an answer in time").expect("the numbers");
    let lines = page.lines().filter(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])) && line.contains(label)
    });
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Looks again and again until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(PATIENCE, looking).await.is_ok(), "not in time: {what}");
}

/// A connection.
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    next_id: u64,
    /// Answers that came before somebody waited for them: they come in any order.
    answers: Vec<Value>,
    /// Where it stands, by the cursor rule.
    pub cursor: Option<String>,
    /// Every push and notice of this connection.
    pub heard: Vec<Value>,
}

impl Client {
    /// Connects without `hello`. None if that is refused or comes to nothing.
    pub async fn dial(address: SocketAddr) -> Option<Self> {
        Self::dial_with(address, None).await
    }

    /// The same with a receive buffer of this size.
    pub async fn dial_with(address: SocketAddr, receive_bytes: Option<u32>) -> Option<Self> {
        let mut request = format!("ws://{address}/api/v1/ws").into_client_request().expect("a URL");
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("tidings.v1.json"));
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(bytes) = receive_bytes {
            socket.set_recv_buffer_size(bytes).expect("a buffer size");
        }
        let dialling = async {
            let stream = socket.connect(address).await.ok()?;
            tokio_tungstenite::client_async(request, stream).await.ok()
        };
        let (socket, _) = timeout(PATIENCE, dialling).await.expect("an answer in time")?;
        Some(Self { socket, next_id: 1, answers: Vec::new(), cursor: None, heard: Vec::new() })
    }

    /// Connects and says `hello`.
    pub async fn arrives(address: SocketAddr, token: Option<&str>, feeds: &[&str]) -> Self {
        let mut client = Self::dial(address).await.expect("an upgrade");
        let welcome = client.says_hello(token, feeds, None).await.expect("a welcome");
        assert!(welcome["result"].is_object(), "{welcome}");
        client
    }

    /// Comes back with a cursor, again and again while it is told to, as a client does; gives the new connection and its welcome.
    pub async fn comes_back(address: SocketAddr, token: Option<&str>, feeds: &[&str], cursor: &str) -> (Self, Value) {
        let coming = async {
            loop {
                if let Some(mut client) = Self::dial(address).await
                    && let Ok(welcome) = client.says_hello(token, feeds, Some(cursor)).await
                    && welcome["result"].is_object()
                {
                    return (client, welcome);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, coming).await.expect("it comes back")
    }

    /// `hello`; the answer, or the number the connection ended with.
    pub async fn says_hello(
        &mut self,
        token: Option<&str>,
        feeds: &[&str],
        cursor: Option<&str>,
    ) -> Result<Value, u16> {
        let params = json!({ "token": token, "feeds": feeds, "cursor": cursor });
        let answer = self.ask("hello", params).await?;
        if let Some(cursor) = answer["result"]["cursor"].as_str() {
            self.cursor = Some(cursor.to_owned());
        }
        Ok(answer)
    }

    /// Asks and reads until the answer.
    pub async fn ask(&mut self, method: &str, params: Value) -> Result<Value, u16> {
        let id = self.sends(method, params).await;
        self.answer(id).await
    }

    /// Asks and does not wait.
    pub async fn sends(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let text = json!({ "id": id, "method": method, "params": params }).to_string();
        // When the connection is over, reading will tell.
        drop(timeout(PATIENCE, self.socket.send(Message::text(text))).await.expect("the socket takes it"));
        id
    }

    /// Reads until the answer to a request.
    pub async fn answer(&mut self, id: u64) -> Result<Value, u16> {
        loop {
            if let Some(at) = self.answers.iter().position(|answer| answer["id"] == json!(id)) {
                return Ok(self.answers.swap_remove(at));
            }
            self.next().await?;
        }
    }

    /// Posts, and gives the whole answer.
    pub async fn posts(&mut self, id: Uuid, text: &str) -> Result<Value, u16> {
        self.ask("post.create", json!({ "id": id, "text": text })).await
    }

    /// Reads until a post of this text has been heard.
    pub async fn hears(&mut self, text: &str) -> Result<(), u16> {
        while !self.has_heard(text) {
            self.next().await?;
        }
        Ok(())
    }

    /// Whether a post of this text was heard.
    pub fn has_heard(&self, text: &str) -> bool {
        self.times_heard(text) > 0
    }

    /// How often.
    pub fn times_heard(&self, text: &str) -> usize {
        self.heard.iter().filter(|frame| frame["data"]["text"] == text).count()
    }

    /// Reads until the connection is over; its number.
    pub async fn end(&mut self) -> u16 {
        loop {
            if let Err(number) = self.next().await {
                return number;
            }
        }
    }

    /// The next frame, or the number the connection ended with.
    pub async fn next(&mut self) -> Result<Value, u16> {
        let frame = loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("something within the deadline") {
                Some(Ok(Message::Text(text))) => break serde_json::from_str::<Value>(&text).expect("JSON"),
                Some(Ok(Message::Close(frame))) => {
                    let number = frame.map_or(1005, |frame| frame.code.into());
                    // Reading on completes the closing handshake; the server must drop TCP after it.
                    let over = async { while let Some(Ok(_)) = self.socket.next().await {} };
                    timeout(PATIENCE, over).await.expect("the end of TCP");
                    return Err(number);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(CUT),
            }
        };
        if let (Some(seq), Some(cursor)) = (frame["seq"].as_u64(), &mut self.cursor) {
            let epoch = cursor.rsplit_once('-').expect("a cursor").0;
            *cursor = format!("{epoch}-{seq}");
        }
        if let Some(cursor) = frame["cursor"].as_str() {
            self.cursor = Some(cursor.to_owned());
        }
        if frame["event"].is_string() {
            self.heard.push(frame.clone());
        } else {
            self.answers.push(frame.clone());
        }
        Ok(frame)
    }
}
