//! What the living part needs from the outside, as contracts. `store` and `bus` implement them; the gate brings the wire.
//! Every implementation of a port takes the same examination (its contract suite).

mod accounts;
mod agenda;
mod bots;
mod bus;
mod circle;
mod desk;
mod drafts;
mod export;
mod front;
mod journal;
mod keys;
mod marks;
mod media;
mod moderation;
mod reads;
mod search;

pub use accounts::{Accounts, Credentials, NewToken, NotChanged, Opening, Rotation, Shown, TokenHash};
pub use agenda::Agenda;
pub use bots::{BotDesk, NewApiToken, NoBots, NotMade, TokenRows};
pub use bus::{Bus, Heard};
pub use circle::{Circle, NoCircle};
pub use desk::Desk;
pub use drafts::{Drafts, NoDrafts};
pub use export::{Export, ExportPage, ExportWish};
pub use front::{BadToken, Claims, Submit, Tokens};
pub use journal::{BatchId, CommitFault, Head, JournalStore};
pub use keys::{KeptKey, SealedKey, SigningKeys};
pub use marks::{Marks, NoMarks};
pub use media::{
    Condemned, Face, KnownMedia, MediaDigest, MediaRows, MediaState, NoPictures, Picture, Pictures, Wished,
};
pub use moderation::{Asked, Moderation, NoModeration};
pub use reads::{Branch, Missed, Reads, Viewer, Who};
pub use search::{NoSearch, NotSearched, Search};

/// Why a read did not succeed. The cause goes to the operator; the client hears `unavailable`.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreFault {
    /// Cannot be reached, is starting up, is read-only, or did not answer in time. Trying again later may help.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Answered with something unexpected: our own fault.
    #[error("unexpected answer from the database: {0}")]
    Broken(String),
}
