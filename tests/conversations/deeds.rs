//! What people do over their line, each as one verb that is done when it returns.
//! Must never be used where being refused is what the conversation is about; those ask by themselves.

use serde::Serialize;
use serde_json::{Value, json};
use tidings_protocol::entity::{Comment, Post};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::reply::{CommentResult, PostResult};
use uuid::Uuid;

use crate::person::Person;

impl Person {
    pub async fn posts(&mut self, text: &str) -> Post {
        let created: PostResult =
            self.request("post.create", json!({ "id": Uuid::now_v7(), "text": text })).await.expect("posted");
        assert!(!created.duplicate);
        assert_eq!(created.post.text, text);
        created.post
    }

    pub async fn comments(&mut self, post: PostId, parent: Option<CommentId>, text: &str) -> Comment {
        let params = json!({ "id": Uuid::now_v7(), "post": post, "parent": parent, "text": text });
        let created: CommentResult = self.request("comment.create", params).await.expect("commented");
        created.comment
    }

    pub async fn follows(&mut self, whom: UserId) {
        let followed: Result<Value, Refusal> = self.request("user.follow", json!({ "id": whom })).await;
        assert_eq!(followed.expect("followed")["following"], true);
    }

    pub async fn unfollows(&mut self, whom: UserId) {
        let unfollowed: Result<Value, Refusal> = self.request("user.unfollow", json!({ "id": whom })).await;
        assert_eq!(unfollowed.expect("unfollowed")["following"], false);
    }

    pub async fn deletes(&mut self, post: PostId) {
        let removed: Result<Value, Refusal> = self.request("post.delete", json!({ "id": post })).await;
        removed.expect("deleted");
    }

    /// A request that must be refused with this code.
    pub async fn is_refused(&mut self, code: ErrorCode, method: &str, params: impl Serialize) -> Refusal {
        let answer: Result<Value, Refusal> = self.request(method, params).await;
        let refusal = answer.expect_err("this must be refused");
        assert_eq!(refusal.code, code, "{refusal:?}");
        assert_eq!(refusal.retry, code.retry());
        refusal
    }
}
