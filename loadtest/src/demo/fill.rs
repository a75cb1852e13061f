//! Fills an empty place with what the made-up people had said: profiles, follows, and the acts of the script.
//! Must never do anything twice: each act has the same id in every run, and what is there already is passed over.

use std::time::Duration;

use anyhow::{Result, bail};
use tidings_protocol::error::ErrorCode;
use tidings_protocol::ids::UserId;
use tidings_protocol::request::{Method, PostRef, UserRef, UserUpdate};
use tidings_protocol::text::Bio;

use super::cast::{self, MEMBERS};
use super::line::Voice;
use super::script::{self, Act};

/// Of the second half of the acts: the page is worth a look at once, and is seen to fill.
const PAUSE: Duration = Duration::from_millis(120);

/// What was filled in.
pub struct Filled {
    /// So many posts.
    pub posts: usize,
    /// So many comments.
    pub comments: usize,
}

/// Fills unless it has been done; `None` if it had.
///
/// # Errors
/// The server refuses what it must not, or a line has ended.
pub async fn fill(voices: &[Voice], ids: &[UserId], pace: f64) -> Result<Option<Filled>> {
    let acts = script::acts()?;
    if let Some(last) = script::last_post(&acts)
        && ask(&voices[cast::SEAT], Method::PostGet(PostRef { id: last })).await?
    {
        return Ok(None);
    }
    for (number, member) in MEMBERS.iter().enumerate() {
        let bio = Method::UserUpdate(UserUpdate { bio: Some(Bio::parse(member.bio)?), ..UserUpdate::default() });
        ask(&voices[number], bio).await?;
        for other in member.follows.iter().filter_map(|handle| cast::number_of(handle)) {
            ask(&voices[number], Method::UserFollow(UserRef { id: ids[other] })).await?;
        }
    }
    let posts = acts.iter().filter(|act| act.is_post()).count();
    let filled = Filled { posts, comments: acts.len() - posts };
    let at_once = acts.len() / 2;
    for (number, Act { who, method, .. }) in acts.into_iter().enumerate() {
        ask(&voices[who], method).await?;
        if number >= at_once {
            tokio::time::sleep(PAUSE.div_f64(pace)).await;
        }
    }
    Ok(Some(filled))
}

/// Whether it was done. That something has been changed or deleted since an earlier fill is no fault.
async fn ask(voice: &Voice, method: Method) -> Result<bool> {
    let name = method.name();
    match voice.ask(method).await? {
        Ok(_) => Ok(true),
        Err(refusal) if matches!(refusal.code, ErrorCode::NotFound | ErrorCode::Conflict) => Ok(false),
        Err(refusal) => bail!("`{name}` was refused: {}", refusal.message),
    }
}
