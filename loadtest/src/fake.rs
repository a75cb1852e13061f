//! A toy server for the harness' own tests: right, or wrong in one chosen way, so that each way is known to be found out.
//! Must never be mistaken for Tidings: no store, no limits, no authentication.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tidings_protocol::SUBPROTOCOL;
use tidings_protocol::feed::FeedName;
use tidings_protocol::request::{Method, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request as Upgrade, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use uuid::Uuid;

/// Wrong in which way; every seventh post is treated so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    None,
    Loses,
    Doubles,
    Reorders,
    Alters,
    Misdelivers,
    /// Refuses and delivers all the same.
    Haunts,
    /// Does not send what was missed to those who resume.
    Forgets,
}

/// A post or comment as pushed.
#[derive(Clone)]
struct Entry {
    seq: u64,
    id: Uuid,
    author: Uuid,
    /// The post it is a comment on.
    thread: Option<Uuid>,
    text: String,
}

/// Who is there, and what they watch.
struct Client {
    user: Uuid,
    thread: Option<Uuid>,
    sender: UnboundedSender<String>,
}

/// All of the toy's world.
pub struct Fake {
    flaw: Flaw,
    seq: Cell<u64>,
    log: RefCell<Vec<Entry>>,
    follows: RefCell<BTreeMap<Uuid, BTreeSet<Uuid>>>,
    online: RefCell<BTreeMap<u64, Client>>,
    held_back: RefCell<Vec<Entry>>,
    next: Cell<u64>,
}

impl Fake {
    /// Starts one on this thread and gives its URL.
    pub async fn start(flaw: Flaw) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Rc::new(Self {
            flaw,
            seq: Cell::new(100),
            log: RefCell::default(),
            follows: RefCell::default(),
            online: RefCell::default(),
            held_back: RefCell::default(),
            next: Cell::new(0),
        });
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fake = Rc::clone(&fake);
                tokio::task::spawn_local(async move { fake.client(stream).await });
            }
        });
        url
    }

    async fn client(self: Rc<Self>, stream: TcpStream) {
        let mut first = [0; 4];
        stream.peek(&mut first).await.unwrap();
        if &first == b"POST" { sign_up(stream).await } else { self.socket(stream).await }
    }

    async fn socket(self: Rc<Self>, stream: TcpStream) {
        #[expect(clippy::result_large_err, reason = "the library's own signature")]
        let greet = |_: &Upgrade, mut answer: Response| {
            answer.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
            Ok(answer)
        };
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, greet).await.unwrap();
        let (sender, mut pushes) = unbounded_channel();
        let number = self.next.replace(self.next.get() + 1);
        let mut user = Uuid::nil();
        loop {
            tokio::select! {
                Some(push) = pushes.recv() => {
                    if socket.send(Message::text(push)).await.is_err() {
                        break;
                    }
                }
                message = socket.next() => {
                    let Some(Ok(Message::Text(text))) = message else { break };
                    let request = Request::decode(&text).unwrap();
                    self.request(&request, &mut user, number, &sender);
                }
            }
        }
        self.online.borrow_mut().remove(&number);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the harness uses a handful of all methods")]
    fn request(&self, request: &Request, user: &mut Uuid, number: u64, sender: &UnboundedSender<String>) {
        let mut after = Vec::new();
        let result = match &request.method {
            Method::Hello(hello) => {
                if let Some(token) = &hello.token {
                    *user = token.parse().unwrap();
                }
                if hello.feeds.is_empty() {
                    self.welcome(json!([]), self.seq.get())
                } else {
                    let thread = hello.feeds.iter().find_map(|feed| match feed {
                        FeedName::Post(id) => Some(id.0),
                        FeedName::Home
                        | FeedName::Global
                        | FeedName::Me
                        | FeedName::Mod
                        | FeedName::User(_)
                        | FeedName::Tag(_)
                        | FeedName::Firehose
                        | FeedName::List(_)
                        | FeedName::Notifications => None,
                    });
                    let client = Client { user: *user, thread, sender: sender.clone() };
                    let start = |feed: &FeedName| match hello.cursor {
                        Some(_) => json!({"status": "live", "feed": feed}),
                        None => {
                            json!({"status": "snapshot", "feed": feed, "seq": self.seq.get(), "posts": [], "next": null})
                        }
                    };
                    if let Some(cursor) = hello.cursor.filter(|_| self.flaw != Flaw::Forgets) {
                        // With the entry at the cursor again, as the real one may.
                        let log = self.log.borrow();
                        after =
                            log.iter().filter(|e| e.seq >= cursor.seq.0 && self.sees(&client, e)).cloned().collect();
                    }
                    self.online.borrow_mut().insert(number, client);
                    let at = hello.cursor.map_or(self.seq.get(), |cursor| cursor.seq.0);
                    self.welcome(hello.feeds.iter().map(start).collect(), at)
                }
            }
            Method::UserFollow(whom) => {
                self.follows.borrow_mut().entry(*user).or_default().insert(whom.id.0);
                json!({})
            }
            Method::UserUnfollow(whom) => {
                self.follows.borrow_mut().entry(*user).or_default().remove(&whom.id.0);
                json!({})
            }
            Method::PostCreate(_) | Method::CommentCreate(_) => match self.create(*user, &request.method) {
                Some(answer) => answer,
                None => {
                    let refusal =
                        json!({"id": request.id.0, "error": {"code": "overloaded", "message": "full", "retry": true}});
                    sender.send(refusal.to_string()).unwrap();
                    return;
                }
            },
            other => panic!("the harness does not ask for {}", other.name()),
        };
        // A client that is gone is not the toy's business.
        drop(sender.send(json!({"id": request.id.0, "result": result}).to_string()));
        after.iter().for_each(|entry| drop(sender.send(push(entry))));
    }

    fn welcome(&self, feeds: Value, at: u64) -> Value {
        json!({
            "session": Uuid::nil(), "user": null, "cursor": format!("k3-{at}"), "resumed": true, "heartbeat_ms": 25000,
            "limits": tidings_protocol::reply::Limits::with_budget(1_000_000), "feeds": feeds,
        })
    }

    /// `None`: refused.
    #[expect(clippy::wildcard_enum_match_arm, reason = "called for these two")]
    fn create(&self, author: Uuid, method: &Method) -> Option<Value> {
        let (id, thread, text) = match method {
            Method::PostCreate(post) => (post.id.0, None, post.text.as_ref().map_or("", |text| text.as_str())),
            Method::CommentCreate(comment) => (comment.id.0, Some(comment.post.0), comment.text.as_str()),
            other => panic!("{} creates nothing", other.name()),
        };
        if let Some(known) = self.log.borrow().iter().find(|entry| entry.id == id) {
            return Some(json!({"post": {}, "seq": known.seq, "duplicate": true}));
        }
        let seq = self.seq.get() + 1;
        self.seq.set(seq);
        let entry = Entry { seq, id, author, thread, text: text.to_owned() };
        self.log.borrow_mut().push(entry.clone());
        let flawed = seq.is_multiple_of(7);
        match self.flaw {
            Flaw::Loses if flawed => {}
            Flaw::Reorders if flawed => self.held_back.borrow_mut().push(entry),
            Flaw::Doubles if flawed => (0..2).for_each(|_| self.publish(&entry)),
            Flaw::Alters if flawed => self.publish(&Entry { text: format!("{text}!"), ..entry }),
            Flaw::Haunts if flawed => {
                self.publish(&entry);
                return None;
            }
            Flaw::None
            | Flaw::Loses
            | Flaw::Doubles
            | Flaw::Reorders
            | Flaw::Alters
            | Flaw::Misdelivers
            | Flaw::Haunts
            | Flaw::Forgets => {
                self.publish(&entry);
                self.held_back.take().iter().for_each(|late| self.publish(late));
            }
        }
        Some(json!({"post": {}, "seq": seq}))
    }

    fn publish(&self, entry: &Entry) {
        let everybody = self.flaw == Flaw::Misdelivers && entry.seq.is_multiple_of(7);
        for client in self.online.borrow().values() {
            if everybody || self.sees(client, entry) {
                drop(client.sender.send(push(entry)));
            }
        }
    }

    fn sees(&self, client: &Client, entry: &Entry) -> bool {
        if entry.thread.is_some() {
            return client.thread == entry.thread;
        }
        let follows = self.follows.borrow();
        client.user == entry.author || follows.get(&client.user).is_some_and(|set| set.contains(&entry.author))
    }
}

fn push(entry: &Entry) -> String {
    let data =
        json!({"id": entry.id, "rev": entry.seq, "seq": entry.seq, "author": {"id": entry.author}, "text": entry.text});
    let (feed, event) = match entry.thread {
        None => ("home".to_owned(), "post.created"),
        Some(thread) => (format!("post:{thread}"), "comment.created"),
    };
    json!({"feed": feed, "seq": entry.seq, "event": event, "data": data}).to_string()
}

/// Answers one `POST` with an account whose token is its id.
async fn sign_up(mut stream: TcpStream) {
    let mut asked = Vec::new();
    while !asked.ends_with(b"}") {
        stream.read_buf(&mut asked).await.unwrap();
    }
    let id = Uuid::new_v4();
    let far = 1_u64 << 50;
    let user = json!({"id": id, "rev": 1, "handle": "x", "name": "x", "bio": "", "role": "user", "created_at": 1});
    let body = json!({
        "user": user, "access_token": id, "access_expires_at": far, "refresh_token": "r", "refresh_expires_at": far,
    })
    .to_string();
    let head = format!("HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await.unwrap();
}
