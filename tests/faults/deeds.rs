//! What people do while things break: writing until it is answered, waiting for what must come.
//! Must never give up early nor wait without a deadline.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidings_protocol::ids::PostId;
use tidings_protocol::position::Seq;
use tidings_protocol::reply::PostResult;
use tidings_testkit::Node;
use uuid::Uuid;

use crate::person::{Outcome, Person};

/// For a database to come back and be found.
pub const RECOVERY: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(20);

/// A post on its way: asked again under the same id until it is answered.
pub struct Draft {
    pub id: PostId,
    pub text: String,
}

impl Draft {
    pub fn of(text: impl Into<String>) -> Self {
        Self { id: PostId(Uuid::now_v7()), text: text.into() }
    }

    pub fn params(&self) -> Value {
        json!({ "id": self.id, "text": self.text })
    }
}

impl Person {
    /// Posts, and goes on asking while the answer is "later"; the line may break on the way.
    pub async fn posts_at_last(&mut self, node: &Node, draft: &Draft) -> PostResult {
        let began = Instant::now();
        loop {
            match self.tries("post.create", draft.params()).await {
                Outcome::Done(result) => return serde_json::from_value(result).expect("a post"),
                Outcome::Refused(refusal) => assert!(refusal.retry, "{refusal:?}"),
                Outcome::Lost(_) => {
                    let feeds = self.feeds.clone();
                    self.connects(node, &feeds).await;
                }
            }
            assert!(began.elapsed() < RECOVERY, "writes do not come back");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Posts several, one after the other; their ids with their `seq`s.
    pub async fn posts_all(&mut self, texts: impl IntoIterator<Item = String>) -> Vec<(PostId, Seq)> {
        let mut posted = Vec::new();
        for text in texts {
            let post = self.posts(&text).await;
            posted.push((post.id, post.seq));
        }
        posted
    }
}

/// Asks until it is so.
pub async fn until(what: &str, patience: Duration, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !is_so().await {
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        tokio::time::sleep(POLL).await;
    }
}
