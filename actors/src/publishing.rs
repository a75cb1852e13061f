//! A draft becomes a post at its time: claimed, created, and gone. Any number of nodes may do this to the same draft at the same time, and any of
//! them may die at any point of it: each step is decided under the journal's lock and may be repeated, and the post has the draft's id (P10).
//! Must never try again what was refused for good, and never give up what only could not be done now.

use tidings_protocol::drafts::{Draft, DraftContent};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::request::PostCreate;
use tidings_protocol::text::PostText;

use crate::command::{Act, Command, Deed, Outcome};
use crate::ports::Submit;
use crate::session::posts;

/// A draft whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timed {
    /// Whose.
    pub author: UserId,
    /// Which; the post will have the same id.
    pub id: PostId,
}

/// What a draft says as a new post.
///
/// # Errors
/// It is not one yet: it has neither words nor a post to hand on.
pub fn post_of(id: PostId, content: DraftContent) -> Result<PostCreate, Refusal> {
    let DraftContent { text, visibility, warning, of, comments } = content;
    let text = match text {
        Some(text) if !text.as_str().is_empty() => {
            let text = PostText::parse(String::from(text));
            Some(text.map_err(|bad| Refusal::new(ErrorCode::Invalid, bad.to_string()).field("text"))?)
        }
        Some(_) | None => None,
    };
    let media = Vec::new();
    Ok(PostCreate { id, text, visibility: visibility.unwrap_or_default(), warning, of, comments, media })
}

/// Publishes it, or goes on where somebody else has stopped.
///
/// # Errors
/// What could not be done now; whoever looks next goes on.
pub async fn publish(journal: &dyn Submit, timed: Timed) -> Result<(), Refusal> {
    let Timed { author: actor, id } = timed;
    let claim = Command { actor, act: Act::Deed(Deed::ClaimDraft { id }) };
    let claimed = match journal.submit(claim).await? {
        Outcome::Done(entry) | Outcome::Duplicate(entry) => entry,
        // Somebody has been faster, all the way; or its owner has changed their mind.
        Outcome::Refused(_) => return Ok(()),
    };
    let failed = match serde_json::from_str::<Draft>(claimed.body.get()) {
        Ok(draft) if draft.publishing => create(journal, actor, id, draft.content).await?,
        // Gone since it was claimed: somebody has been faster.
        Ok(_) | Err(_) => return Ok(()),
    };
    let finish = Command { actor, act: Act::Deed(Deed::FinishDraft { id, failed }) };
    journal.submit(finish).await.map(drop)
}

/// Creates the post. Why it was refused, if it was.
async fn create(
    journal: &dyn Submit,
    actor: UserId,
    id: PostId,
    content: DraftContent,
) -> Result<Option<ErrorCode>, Refusal> {
    let act = match post_of(id, content).and_then(posts::create) {
        Ok(act) => act,
        Err(refusal) => return Ok(Some(refusal.code)),
    };
    match journal.submit(Command { actor, act }).await {
        Ok(Outcome::Done(_) | Outcome::Duplicate(_)) => Ok(None),
        Ok(Outcome::Refused(denied)) => Ok(Some(denied.refusal().code)),
        // A fault that would be met again each time.
        Err(refusal) if refusal.code == ErrorCode::Internal => Ok(Some(refusal.code)),
        Err(refusal) => Err(refusal),
    }
}
