//! What a person writes, as the command it comes down to: who may see it, and the hashtags and mentions found in it.
//! Must never decide who is meant or who may see what: that is the store's.

use tidings_protocol::entity::PostExtra;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::limits::POST_PICTURES;
use tidings_protocol::media::PictureRef;
use tidings_protocol::request::{PostCreate, PostUpdate};
use tidings_protocol::spans;
use tidings_protocol::text::Warning;

use crate::command::{Act, ExtraChange};

/// # Errors
/// It has neither words nor a post to hand on.
pub(crate) fn create(post: PostCreate) -> Result<Act, Refusal> {
    let PostCreate { id, text, visibility, warning, of, comments, media: pictures } = post;
    check_pictures(&pictures)?;
    let said = |picture: PictureRef| PictureRef { alt: picture.alt.filter(|alt| !alt.as_str().is_empty()), ..picture };
    let pictures: Vec<_> = pictures.into_iter().map(said).collect();
    if text.is_none() && of.is_none() && pictures.is_empty() {
        return Err(
            Refusal::new(ErrorCode::Invalid, "a post has a text or pictures, or hands on another").field("text")
        );
    }
    if text.is_none() && of.is_some() && !pictures.is_empty() {
        return Err(Refusal::new(ErrorCode::Invalid, "a quote with pictures has a text").field("text"));
    }
    let found = text.as_ref().map(|text| spans::find(text.as_str())).unwrap_or_default();
    let warning = warning.as_ref().map(Warning::as_str).filter(|warning| !warning.is_empty()).map(str::to_owned);
    let (tags, mentions) = (found.tags, found.mentions);
    let extra = PostExtra { visibility, warning, of, tags, mentions, comments, ..PostExtra::default() };
    let extra = (extra != PostExtra::default()).then(|| Box::new(extra));
    Ok(Act::PostCreate { id, text, extra, pictures })
}

/// Not too many, each once.
fn check_pictures(pictures: &[PictureRef]) -> Result<(), Refusal> {
    if pictures.len() > POST_PICTURES {
        return Err(Refusal::new(ErrorCode::LimitReached, format!("at most {POST_PICTURES}")).field("media"));
    }
    let twice = |(nth, picture): (usize, &PictureRef)| pictures[..nth].iter().any(|other| other.id == picture.id);
    if pictures.iter().enumerate().any(twice) {
        return Err(Refusal::new(ErrorCode::Invalid, "each picture once").field("media"));
    }
    Ok(())
}

pub(super) fn update(post: PostUpdate) -> Act {
    let PostUpdate { id, text, visibility, warning, comments, if_rev } = post;
    let found = spans::find(text.as_str());
    let change = ExtraChange { visibility, warning, comments, tags: found.tags, mentions: found.mentions };
    Act::PostUpdate { id, text, change, if_rev }
}
