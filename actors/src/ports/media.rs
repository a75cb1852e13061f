//! The ports to pictures: what sessions ask about them, and what is known of each in the database.
//! Bytes never pass here; they go by HTTP, past the living part.

use async_trait::async_trait;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{MediaId, UserId};
use tidings_protocol::media::{Media, MediaKind, MediaTicket, MediaTicketed, MediaType};
use tidings_protocol::position::Seq;

use super::StoreFault;

/// What a session may ask about pictures.
#[async_trait]
pub trait Pictures: Send + Sync + 'static {
    /// Leave to send a picture. The same wish again is given a ticket again.
    ///
    /// # Errors
    /// `conflict` if the id is taken by something else, `limit_reached` for too many bytes, in one or in a day.
    async fn ticket(&self, owner: UserId, wish: MediaTicket) -> Result<MediaTicketed, Refusal>;

    /// A picture that has been sent.
    ///
    /// # Errors
    /// `not_found`.
    async fn get(&self, id: MediaId) -> Result<Media, Refusal>;

    /// Deletes a picture that nothing shows. May be repeated.
    ///
    /// # Errors
    /// `not_found`, `forbidden` if it is somebody else's, `conflict` while something shows it.
    async fn delete(&self, owner: UserId, id: MediaId) -> Result<(), Refusal>;
}

/// Where no pictures are kept, as in simulations.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPictures;

#[async_trait]
impl Pictures for NoPictures {
    async fn ticket(&self, _: UserId, _: MediaTicket) -> Result<MediaTicketed, Refusal> {
        Err(Refusal::new(ErrorCode::Unavailable, "no pictures are kept here"))
    }

    async fn get(&self, _: MediaId) -> Result<Media, Refusal> {
        Err(Refusal::new(ErrorCode::NotFound, "there is no such thing"))
    }

    async fn delete(&self, _: UserId, _: MediaId) -> Result<(), Refusal> {
        Err(Refusal::new(ErrorCode::NotFound, "there is no such thing"))
    }
}

/// SHA-256 of what was sent: the same again is known for what it is.
pub type MediaDigest = [u8; 32];

/// A picture as it is kept, without its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What the whole picture is.
    pub media_type: MediaType,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Size of the whole picture.
    pub bytes: u32,
}

/// How far a picture has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaState {
    /// It has a ticket.
    Awaited,
    /// It is kept and may be shown.
    Kept(Picture, MediaDigest),
    /// It is gone, or about to be.
    Condemned,
}

/// What is known of one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownMedia {
    /// Whose.
    pub owner: UserId,
    /// What for.
    pub kind: MediaKind,
    /// How far it has come.
    pub state: MediaState,
}

/// What somebody looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Face {
    /// What they are called.
    pub name: String,
    /// The profile's last change.
    pub rev: Seq,
    /// Their picture.
    pub avatar: Option<MediaId>,
}

/// What came of a wish for a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wished {
    /// It may be sent: again, if it has been already.
    Granted(MediaState),
    /// The id is another's, or was wished for something else, or is of something gone.
    Taken,
    /// Too many bytes in a day.
    TooMuch,
    /// There is no such user.
    NoAccount,
}

/// What came of a wish to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condemned {
    /// It is condemned, now or before.
    Done,
    /// There is no such picture.
    NotFound,
    /// It is somebody else's.
    Forbidden,
    /// Something shows it.
    Used,
}

/// What is known of pictures, in the database. A picture's life: awaited → kept → condemned → forgotten; claimed and kept are two steps so that
/// nothing is kept that nobody knows of, and a lost answer does no harm.
#[async_trait]
pub trait MediaRows: Send + Sync + 'static {
    /// Notes that `owner` will send a picture, unless they have wished for more than `day_bytes` within 24 hours. The same wish again changes
    /// nothing.
    async fn wish(&self, owner: UserId, wish: MediaTicket, day_bytes: u64) -> Result<Wished, StoreFault>;

    /// What is known; none of what was never wished for, or is forgotten.
    async fn media(&self, id: MediaId) -> Result<Option<KnownMedia>, StoreFault>;

    /// What somebody looks like; none if there is nobody.
    async fn face(&self, user: UserId) -> Result<Option<Face>, StoreFault>;

    /// Notes what is about to be kept for an awaited picture. Of several who come with different ones, one gets its way for good; whether it was
    /// this one.
    async fn claim(&self, id: MediaId, picture: Picture, digest: MediaDigest) -> Result<bool, StoreFault>;

    /// Its files are kept: it may be shown from now on. False if it has been condemned meanwhile.
    async fn kept(&self, id: MediaId) -> Result<bool, StoreFault>;

    /// Condemns a picture of `owner`'s that nothing shows.
    async fn condemn(&self, owner: UserId, id: MediaId) -> Result<Condemned, StoreFault>;

    /// Condemns what nothing has shown for `unused_ms`, and gives some of what was condemned at least `grace_ms` ago and may be erased: no node
    /// can be writing or showing it any more. Several nodes may do this at once.
    async fn condemned(&self, unused_ms: u64, grace_ms: u64) -> Result<Vec<MediaId>, StoreFault>;

    /// Forgets condemned pictures, whose files are gone.
    async fn forget_media(&self, ids: &[MediaId]) -> Result<(), StoreFault>;
}
