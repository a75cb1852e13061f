//! A person with one client: signs up, connects, writes, hears, loses the line, resumes. What conversations are written in.
//! Must never wait without a deadline, and keeps to PROTOCOL.md as a good client would (cursor rule, rev rule).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidings_protocol::delivery::DeliveryMode;
use tidings_protocol::entity::Post;
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{RequestId, UserId};
use tidings_protocol::position::Cursor;
use tidings_protocol::push::{Notice, ServerFrame};
use tidings_protocol::reply::{FeedStart, Reply, Welcome};
use tidings_protocol::rest::Tokens;
use tidings_testkit::Node;
use tokio_tungstenite::tungstenite::Message;

use crate::line::{Arrival, CUT, Dial, Line};
use crate::rest::rest;
use crate::state::{State, post_key};

/// Whatever password is used in tests.
pub const PASSWORD: &str = "correct horse battery staple";

/// How a request ended.
#[derive(Debug)]
pub enum Outcome {
    Done(Value),
    Refused(Refusal),
    /// The connection ended before the answer, with this number.
    Lost(u16),
}

/// A person with one client.
pub struct Person {
    pub handle: String,
    /// Absent for somebody who has not signed up.
    pub tokens: Option<Tokens>,
    pub state: State,
    pub feeds: Vec<FeedName>,
    /// How much is told of those that are not told in full.
    pub modes: BTreeMap<FeedName, DeliveryMode>,
    pub cursor: Option<Cursor>,
    /// Notices of the present connection.
    pub notices: Vec<Notice>,
    line: Option<Line>,
    next_id: u64,
    /// Answers that came before one waited for them: requests are carried out in order, answers may come in any.
    answers: Vec<Reply>,
}

impl Person {
    /// Somebody who only looks.
    pub fn anonymous() -> Self {
        Self {
            handle: "nobody".to_owned(),
            tokens: None,
            state: State::default(),
            feeds: Vec::new(),
            modes: BTreeMap::new(),
            cursor: None,
            notices: Vec::new(),
            line: None,
            next_id: 1,
            answers: Vec::new(),
        }
    }

    /// Signs up; does not connect yet.
    pub async fn signs_up(node: &Node, handle: &str) -> Self {
        let body = json!({ "handle": handle, "email": format!("{handle}@example.org"), "password": PASSWORD });
        let tokens: Tokens = rest(node, "users", &body).await.expect("signed up");
        assert_eq!(tokens.user.handle, handle);
        Self { handle: handle.to_owned(), tokens: Some(tokens), ..Self::anonymous() }
    }

    /// Logs in: the same person with another client.
    pub async fn logs_in(node: &Node, handle: &str) -> Self {
        let body = json!({ "login": handle, "password": PASSWORD });
        let tokens: Tokens = rest(node, "auth/login", &body).await.expect("logged in");
        Self { handle: handle.to_owned(), tokens: Some(tokens), ..Self::anonymous() }
    }

    /// Signs up, connects, watches `feeds`.
    pub async fn arrives(node: &Node, handle: &str, feeds: &[FeedName]) -> Self {
        let mut person = Self::signs_up(node, handle).await;
        person.connects(node, feeds).await;
        person
    }

    /// Who one is.
    pub fn id(&self) -> UserId {
        self.tokens.as_ref().expect("signed up").user.id
    }

    /// The access token.
    pub fn token(&self) -> Option<&str> {
        self.tokens.as_ref().map(|tokens| tokens.access_token.as_str())
    }

    // Lines.

    /// Connects and says `hello` without a cursor.
    pub async fn connects(&mut self, node: &Node, feeds: &[FeedName]) -> Welcome {
        self.feeds = feeds.to_vec();
        self.cursor = None;
        self.dials(node).await;
        let welcome = self.says_hello().await.expect("welcome");
        assert!(!welcome.resumed || feeds.is_empty(), "resumed without a cursor");
        welcome
    }

    /// Connects without `hello`.
    pub async fn dials(&mut self, node: &Node) {
        self.dials_like(node.address(), Dial::default()).await;
    }

    /// Connects without `hello`, in a certain way.
    pub async fn dials_like(&mut self, address: SocketAddr, dial: Dial<'_>) {
        self.notices.clear();
        self.answers.clear();
        self.line = Some(Line::dial(address, dial).await.expect("an upgrade"));
    }

    /// Comes back with the cursor and takes what the server says for each feed.
    pub async fn resumes(&mut self, node: &Node) -> Welcome {
        assert!(self.cursor.is_some(), "nothing to resume");
        self.dials(node).await;
        self.says_hello().await.expect("welcome")
    }

    /// `hello` on the dialled line.
    pub async fn says_hello(&mut self) -> Result<Welcome, Refusal> {
        let hello = json!({
            "token": self.token(),
            "client": "conversations/1",
            "feeds": self.feeds,
            "modes": self.modes,
            "cursor": self.cursor,
        });
        let welcome: Welcome = self.request("hello", hello).await?;
        assert_eq!(welcome.feeds.len(), self.feeds.len());
        let goes_on = |start: &FeedStart| matches!(start, FeedStart::Live { .. });
        let beside = welcome.feeds.iter().any(goes_on);
        for start in welcome.feeds.clone() {
            match start {
                FeedStart::Live { feed } => self.state.goes_on(feed, welcome.cursor.seq),
                FeedStart::Snapshot { snapshot } if beside => {
                    self.state.starts_afresh_beside(*snapshot, welcome.cursor.seq);
                }
                FeedStart::Snapshot { snapshot } => self.state.starts_afresh(*snapshot),
                FeedStart::Refused { .. } => {}
            }
        }
        self.cursor = Some(welcome.cursor);
        Ok(welcome)
    }

    /// From here on every frame is written down as it comes; what has been so far.
    pub fn records(&mut self) -> String {
        let line = self.line.as_mut().expect("connected");
        line.record.replace(String::new()).unwrap_or_default()
    }

    /// The line is cut, without goodbye.
    pub fn loses_the_line(&mut self) {
        self.line = None;
    }

    // Requests.

    /// Asks, and reads until the answer; what is pushed on the way is applied.
    pub async fn request<R: DeserializeOwned>(&mut self, method: &str, params: impl Serialize) -> Result<R, Refusal> {
        match self.tries(method, params).await {
            Outcome::Done(result) => Ok(serde_json::from_value(result.clone())
                .unwrap_or_else(|error| panic!("{method} was answered with {result}: {error}"))),
            Outcome::Refused(refusal) => Err(refusal),
            Outcome::Lost(number) => panic!("closed with {number} instead of answering {method}"),
        }
    }

    /// The same where the connection may end first.
    pub async fn tries(&mut self, method: &str, params: impl Serialize) -> Outcome {
        let id = self.asks(method, params).await;
        self.hears_answer(id).await
    }

    /// Sends a request and does not wait.
    pub async fn asks(&mut self, method: &str, params: impl Serialize) -> u64 {
        let (id, request) = self.words(method, params);
        self.sends(request).await;
        id
    }

    /// Sends several requests at once and does not wait.
    pub async fn asks_together(&mut self, method: &str, all: impl IntoIterator<Item = Value>) -> Vec<u64> {
        let requests = all.into_iter().map(|params| self.words(method, params));
        let (ids, messages): (Vec<u64>, Vec<Message>) = requests.unzip();
        self.line.as_mut().expect("connected").send_together(messages).await;
        ids
    }

    fn words(&mut self, method: &str, params: impl Serialize) -> (u64, Message) {
        let id = self.next_id;
        self.next_id += 1;
        let request = json!({ "id": id, "method": method, "params": params });
        (id, Message::text(request.to_string()))
    }

    /// Reads until the answer to request `id`.
    pub async fn hears_answer(&mut self, id: u64) -> Outcome {
        loop {
            let is_it = |reply: &Reply| id_of(reply) == Some(RequestId(id));
            if let Some(at) = self.answers.iter().position(is_it) {
                return match self.answers.swap_remove(at) {
                    Reply::Result { result, .. } => Outcome::Done(result),
                    Reply::Error { error, .. } => Outcome::Refused(error),
                };
            }
            match self.hears().await {
                Ok(Some(reply)) => {
                    let asked = id_of(&reply).is_some_and(|of| of.0 < self.next_id);
                    let again = self.answers.iter().any(|known| id_of(known) == id_of(&reply));
                    assert!(asked && !again, "{reply:?} while waiting for the answer to {id}");
                    self.answers.push(reply);
                }
                Ok(None) => {}
                Err(number) => return Outcome::Lost(number),
            }
        }
    }

    /// Sends anything at all. When the connection is over, reading will tell.
    pub async fn sends(&mut self, message: Message) {
        let line = self.line.as_mut().expect("connected");
        line.send(message).await;
    }

    /// Reads until the next reply, which must be a refusal; with its id, if that could be read.
    pub async fn hears_refusal(&mut self) -> (Option<RequestId>, Refusal) {
        loop {
            match self.hears().await {
                Ok(Some(Reply::Error { id, error })) => return (id, error),
                Ok(None) => {}
                other => panic!("{other:?} instead of a refusal"),
            }
        }
    }

    /// Takes in one frame: a reply is given back, anything else is applied.
    pub async fn hears(&mut self) -> Result<Option<Reply>, u16> {
        let arrival = self.line.as_mut().expect("connected").next().await;
        self.takes(arrival)
    }

    /// One frame, however long it takes; applied like any other.
    pub async fn hears_whenever(&mut self) -> Arrival {
        let line = self.line.as_mut().expect("connected");
        let arrival = line.next_whenever().await;
        if let Arrival::Frame(frame) = &arrival {
            let reply = self.takes(Arrival::Frame(frame.clone()));
            assert!(matches!(reply, Ok(None)), "{reply:?}");
        }
        arrival
    }

    fn takes(&mut self, arrival: Arrival) -> Result<Option<Reply>, u16> {
        match arrival {
            Arrival::Close(number) => {
                self.line = None;
                return Err(number);
            }
            Arrival::Frame(ServerFrame::Reply(reply)) => return Ok(Some(reply)),
            Arrival::Frame(ServerFrame::Feed(push)) => {
                // The cursor rule: the part behind the last `-` becomes the push's seq.
                let cursor = self.cursor.as_mut().expect("a cursor since the welcome");
                cursor.seq = push.seq;
                self.state.apply(*push);
            }
            Arrival::Frame(ServerFrame::Notice(notice)) => {
                if let Notice::Resync { .. } = notice {
                    self.state.begins_a_new_life();
                }
                match &notice {
                    Notice::Heartbeat { cursor } | Notice::GoingAway { cursor, .. } | Notice::Resync { cursor } => {
                        self.cursor = Some(*cursor);
                    }
                    Notice::TokenExpiring { .. }
                    | Notice::Counts(_)
                    | Notice::Presence { .. }
                    | Notice::Typing { .. }
                    | Notice::Readers { .. }
                    | Notice::News { .. }
                    | Notice::Sampled { .. } => {}
                }
                self.notices.push(notice);
            }
        }
        Ok(None)
    }

    // Hearing.

    /// Reads until it is so, each frame within the deadline.
    pub async fn hears_until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let waiting = async {
            while !is_so(self) {
                match self.hears().await {
                    Ok(None) => {}
                    other => panic!("{other:?} while waiting for: {what}"),
                }
            }
        };
        let waited = tokio::time::timeout(crate::line::PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("not within the deadline: {what}"));
    }

    /// A post with this text is in one of the feeds, or comes.
    pub async fn hears_post(&mut self, text: &str) -> Post {
        let what = format!("{} hears the post {text:?}", self.handle);
        self.hears_until(&what, |me| me.state.post(text).is_some()).await;
        self.state.post(text).expect("just heard")
    }

    /// The post goes from the feed.
    pub async fn hears_removal(&mut self, feed: FeedName, post: &Post) {
        let key = post_key(&post.id.to_string());
        self.hears_until("a post is removed", |me| me.state.is_gone(feed, &key)).await;
    }

    /// The feed begins afresh once more.
    pub async fn hears_resync(&mut self, feed: FeedName) {
        let before = self.snapshots(feed);
        self.hears_until("the feed starts afresh", |me| me.snapshots(feed) > before).await;
    }

    /// How often the feed has begun afresh.
    pub fn snapshots(&self, feed: FeedName) -> usize {
        self.state.feeds.get(&feed).map_or(0, |state| state.snapshots)
    }

    /// Asks something; whatever the node had to tell by then has been told before the answer.
    pub async fn hears_nothing_more(&mut self) {
        let before = self.state.told.len();
        self.is_answered().await;
        let told = &self.state.told[before..];
        assert!(told.is_empty(), "{} was told more: {told:?}", self.handle);
    }

    /// A round trip.
    pub async fn is_answered(&mut self) {
        let params = json!({ "feed": "global", "limit": 1 });
        let page: Result<Value, Refusal> = self.request("feed.page", params).await;
        page.expect("a page");
    }

    /// Reads until the connection ends; the number.
    pub async fn hears_close(&mut self) -> u16 {
        let waiting = async {
            loop {
                if let Err(number) = self.hears().await {
                    return number;
                }
            }
        };
        let waited = tokio::time::timeout(crate::line::PATIENCE, waiting).await;
        waited.expect("not closed within the deadline")
    }

    /// Reads whatever comes until the connection is cut or closed, for conversations in which nodes are killed.
    pub async fn hears_the_end(&mut self) -> u16 {
        while self.line.is_some() {
            if let Err(number) = self.hears().await {
                return number;
            }
        }
        CUT
    }
}

fn id_of(reply: &Reply) -> Option<RequestId> {
    match reply {
        Reply::Result { id, .. } => Some(*id),
        Reply::Error { id, .. } => *id,
    }
}
