//! One member on the socket: says hello, follows the others, posts in turn, and answers some of what it hears.
//! Must never answer an answer, or the community would drown itself.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tidings_protocol::rest::Tokens;
use tidings_protocol::{SUBPROTOCOL, WEBSOCKET_PATH};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

use super::script::{ANSWERS, PEOPLE};

/// The first post of each comes soon, so that a newcomer finds something.
const FIRST_MS: std::ops::Range<u64> = 500..8_000;
/// Later posts come at a pace that one can read.
const NEXT_MS: std::ops::Range<u64> = 15_000..45_000;
/// How long one thinks before answering.
const THINK_MS: std::ops::Range<u64> = 2_000..9_000;
/// One of so many posts is answered by each who hears it.
const ANSWER_ONE_OF: u64 = 4;

/// What a member does next.
enum Plan {
    Post,
    Answer { post: String },
}

/// A member and what it has said so far.
pub(super) struct Bot {
    number: usize,
    said: usize,
    requests: u64,
}

impl Bot {
    pub(super) const fn new(number: usize) -> Self {
        Self { number, said: 0, requests: 0 }
    }

    /// Talks until the line is lost.
    pub(super) async fn talk(&mut self, address: SocketAddr, tokens: &Tokens) -> Result<(), Error> {
        let mut line = connect(address).await?;
        let me = tokens.user.id.to_string();
        self.hello(&mut line, tokens).await?;
        let mut plan = Plan::Post;
        let mut at = soon(&FIRST_MS);
        loop {
            tokio::select! {
                heard = line.next() => {
                    let Some(heard) = heard.transpose()? else { return Ok(()) };
                    let post = heard.to_text().ok().and_then(|text| foreign_post(text, &me));
                    if let (Some(post), Plan::Post) = (post, &plan)
                        && rand::random_range(0..ANSWER_ONE_OF) == 0
                    {
                        plan = Plan::Answer { post };
                        at = soon(&THINK_MS);
                    }
                }
                () = sleep_until(at) => {
                    self.act(&mut line, &plan).await?;
                    plan = Plan::Post;
                    at = soon(&NEXT_MS);
                }
            }
        }
    }

    async fn hello(&mut self, line: &mut Line, tokens: &Tokens) -> Result<(), Error> {
        let hello = json!({ "token": tokens.access_token, "client": "demo/1", "feeds": ["global"], "limit": 1 });
        self.ask(line, "hello", hello).await?;
        let person = &PEOPLE[self.number];
        self.ask(line, "user.update", json!({ "bio": person.bio })).await?;
        // Two neighbours each, so that home feeds differ. Their ids come by their names.
        for step in [1, 2] {
            let neighbour = PEOPLE[(self.number + step) % PEOPLE.len()].handle;
            let asked = self.ask(line, "user.get", json!({ "handle": neighbour })).await?;
            if let Some(id) = answer_to(line, asked).await?["user"]["id"].as_str() {
                self.ask(line, "user.follow", json!({ "id": id })).await?;
            }
        }
        Ok(())
    }

    async fn act(&mut self, line: &mut Line, plan: &Plan) -> Result<(), Error> {
        let id = Uuid::now_v7();
        match plan {
            Plan::Post => {
                let posts = PEOPLE[self.number].posts;
                let text = posts[self.said % posts.len()];
                self.said += 1;
                self.ask(line, "post.create", json!({ "id": id, "text": text })).await?;
            }
            Plan::Answer { post } => {
                let text = ANSWERS[rand::random_range(0..ANSWERS.len())];
                self.ask(line, "comment.create", json!({ "id": id, "post": post, "text": text })).await?;
            }
        }
        Ok(())
    }

    async fn ask(&mut self, line: &mut Line, method: &str, params: Value) -> Result<u64, Error> {
        self.requests += 1;
        let request = json!({ "id": self.requests, "method": method, "params": params });
        line.send(Message::text(request.to_string())).await?;
        Ok(self.requests)
    }
}

type Line = WebSocketStream<TcpStream>;

async fn connect(address: SocketAddr) -> Result<Line, Error> {
    let stream = TcpStream::connect(address).await?;
    let mut request = format!("ws://{address}{WEBSOCKET_PATH}").into_client_request()?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(client_async(request, stream).await?.0)
}

/// Reads on until the reply; what else comes meanwhile is not listened to.
async fn answer_to(line: &mut Line, asked: u64) -> Result<Value, Error> {
    while let Some(heard) = line.next().await {
        let told: Value = heard?.to_text().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        if told["id"].as_u64() == Some(asked) {
            return Ok(told["result"].clone());
        }
    }
    Err(Error::ConnectionClosed)
}

/// The id of a new post by somebody else.
fn foreign_post(text: &str, me: &str) -> Option<String> {
    let told: Value = serde_json::from_str(text).ok()?;
    let post = &told["data"];
    let foreign = told["event"] == "post.created" && post["author"]["id"] != me;
    foreign.then(|| post["id"].as_str().map(str::to_owned)).flatten()
}

fn soon(within_ms: &std::ops::Range<u64>) -> Instant {
    Instant::now() + Duration::from_millis(rand::random_range(within_ms.clone()))
}
