//! Sending and looking at pictures: the calls of a client, and what is in the folder afterwards.
//! Must never wait without a deadline.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::media::{Media, MediaGot, MediaTicketed};
use tidings_protocol::rest::RestError;
use tidings_testkit::Node;
use uuid::Uuid;

use crate::line::PATIENCE;
use crate::person::Person;
use crate::world::{Plan, World};

const POLL: Duration = Duration::from_millis(20);

/// A world whose nodes keep their pictures in one folder.
pub struct Album {
    pub world: World,
    // After the world: the nodes go first.
    pub folder: TempDir,
}

/// What came back over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Album {
    pub async fn one_node() -> Self {
        Self::with(Plan::default(), 1).await
    }

    pub async fn two_nodes() -> Self {
        Self::with(Plan::default(), 2).await
    }

    pub async fn with(plan: Plan, nodes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan.set("media_store", folder.path().join("pictures").to_str().unwrap());
        let world = if nodes == 1 { plan.one_node().await } else { plan.two_nodes().await };
        Self { world, folder }
    }

    pub fn a(&self) -> &Node {
        self.world.a()
    }

    pub fn pictures(&self) -> PathBuf {
        self.folder.path().join("pictures")
    }

    /// Every file there is.
    pub fn files(&self) -> Vec<PathBuf> {
        fn below(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { below(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        below(&self.pictures(), &mut found);
        found
    }

    /// Runs SQL; what it gives, without the end of its line.
    pub fn psql(&self, sql: &str) -> String {
        self.world.database.psql(sql).unwrap().trim().to_owned()
    }
}

pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A wish for a ticket.
pub fn wish(id: Uuid, kind: &str, bytes: usize) -> Value {
    json!({ "id": id, "kind": kind, "type": "image/png", "bytes": bytes })
}

impl Person {
    /// Leave to send so many bytes.
    pub async fn asks_leave(&mut self, id: Uuid, kind: &str, bytes: usize) -> MediaTicketed {
        self.request("media.ticket", wish(id, kind, bytes)).await.expect("a ticket")
    }

    /// Asks leave and sends.
    pub async fn sends_picture(&mut self, node: &Node, kind: &str, bytes: &[u8]) -> Media {
        let ticket = self.asks_leave(new_id(), kind, bytes.len()).await;
        put(node, &ticket.upload, bytes).await.media()
    }

    pub async fn refused(&mut self, method: &str, params: Value) -> Refusal {
        let answer: Result<Value, Refusal> = self.request(method, params).await;
        answer.expect_err("a refusal")
    }
}

/// One HTTP call.
pub async fn call(request: reqwest::RequestBuilder) -> Answer {
    let call = async {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.expect("a whole answer").to_vec() }
    };
    tokio::time::timeout(2 * PATIENCE, call).await.expect("an answer in time")
}

pub async fn put(node: &Node, upload: &str, bytes: &[u8]) -> Answer {
    call(Client::new().put(format!("{}{upload}", node.url())).body(bytes.to_vec())).await
}

pub async fn get(node: &Node, path: &str) -> Answer {
    call(Client::new().get(format!("{}{path}", node.url()))).await
}

pub async fn ask(node: &Node, method: Method, path: &str, header: (&str, &str)) -> Answer {
    call(Client::new().request(method, format!("{}{path}", node.url())).header(header.0, header.1)).await
}

impl Answer {
    /// The picture of a good answer.
    #[track_caller]
    pub fn media(&self) -> Media {
        assert!(self.status.is_success(), "{}: {}", self.status, String::from_utf8_lossy(&self.body));
        let got: MediaGot = serde_json::from_slice(&self.body).expect("a picture");
        got.media
    }

    #[track_caller]
    pub fn refused(&self, status: u16, code: ErrorCode) {
        let said: RestError =
            serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}: no refusal", self.status));
        assert_eq!((self.status.as_u16(), said.error.code), (status, code), "{}", said.error.message);
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Asks until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + 2 * PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(POLL).await;
    }
}
