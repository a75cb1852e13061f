//! What a person writes, as the command it comes down to: who may see it, and the hashtags and mentions found in it.
//! Must never decide who is meant or who may see what: that is the store's.

use tidings_protocol::entity::PostExtra;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::request::{PostCreate, PostUpdate};
use tidings_protocol::spans;
use tidings_protocol::text::Warning;

use crate::command::{Act, ExtraChange};

/// # Errors
/// It has neither words nor a post to hand on.
pub(crate) fn create(post: PostCreate) -> Result<Act, Refusal> {
    let PostCreate { id, text, visibility, warning, of, comments } = post;
    if text.is_none() && of.is_none() {
        return Err(Refusal::new(ErrorCode::Invalid, "a post has a text, or hands on another").field("text"));
    }
    let found = text.as_ref().map(|text| spans::find(text.as_str())).unwrap_or_default();
    let warning = warning.as_ref().map(Warning::as_str).filter(|warning| !warning.is_empty()).map(str::to_owned);
    let (tags, mentions) = (found.tags, found.mentions);
    let extra = PostExtra { visibility, warning, of, tags, mentions, comments, ..PostExtra::default() };
    let extra = (extra != PostExtra::default()).then(|| Box::new(extra));
    Ok(Act::PostCreate { id, text, extra })
}

pub(super) fn update(post: PostUpdate) -> Act {
    let PostUpdate { id, text, visibility, warning, comments, if_rev } = post;
    let found = spans::find(text.as_str());
    let change = ExtraChange { visibility, warning, comments, tags: found.tags, mentions: found.mentions };
    Act::PostUpdate { id, text, change, if_rev }
}
