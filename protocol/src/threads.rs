//! How the author of a post keeps the thread under it in order: who may comment, how fast, whether at all, and what is hidden.
//! Must never hold what a comment says: that is [`crate::entity::Comment`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::{ErrorCode, Refusal};
use crate::ids::PostId;
use crate::limits;

/// Who may comment on a post, besides its author. Whom the post mentions may as well, but for `nobody`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Commenters {
    /// Whoever may see it.
    #[default]
    Everyone,
    /// Those who follow the author.
    Followers,
    /// Those whom the author follows.
    Followed,
    /// Nobody else.
    Nobody,
}

impl Commenters {
    /// All of them, in the order of the numbers the database gives them, from 0.
    pub const ALL: [Self; 4] = [Self::Everyone, Self::Followers, Self::Followed, Self::Nobody];
}

/// Who has locked a thread: only they, or somebody with more to say, unlock it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum LockedBy {
    /// The post's author.
    Author,
    /// A moderator or an admin.
    Moderator,
}

/// `post.slow`: one comment by each person in so much time. May be repeated; the last one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostSlow {
    /// Under which post.
    pub id: PostId,
    /// 0 to 3,600 seconds; 0 for as fast as anybody likes.
    #[schemars(range(min = 0, max = 3_600))]
    pub seconds: u32,
}

impl PostSlow {
    /// Refuses what would be no pause but an end.
    ///
    /// # Errors
    /// `invalid` for more than an hour.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.seconds > limits::SLOW_SECONDS {
            let message = format!("must be 0 to {}", limits::SLOW_SECONDS);
            return Err(Refusal::new(ErrorCode::Invalid, message).field("seconds"));
        }
        Ok(())
    }
}

/// `post.comments`: who may comment from now on. May be repeated; the last one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostComments {
    /// On which post.
    pub id: PostId,
    /// Who.
    pub comments: Commenters,
}
