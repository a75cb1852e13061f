//! The gallery: a ticket for a wish, a picture for a ticket and bytes, a file for an address. Ties the rows, the painters and the shelf together.
//! Must never say that a picture is kept before its files and its row are, nor leave files that no row knows of.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tidings_actors::ports::{
    Condemned, Face, KnownMedia, MediaDigest, MediaRows, MediaState, Picture, Pictures, StoreFault, Wished,
};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{MediaId, UserId};
use tidings_protocol::limits::MEDIA_BYTES_PER_DAY;
use tidings_protocol::media::{Media, MediaKind, MediaTicket, MediaTicketed, UPLOAD_PATH};
use tidings_protocol::position::Millis;

use crate::berths::{Berth, Berths};
use crate::limits::{AWAY_AGAIN_MS, CONDEMNED_MS, TICKET_MOST_MS, UNUSED_MS};
use crate::painters::{Full, Painters, PaintersGone};
use crate::picture::{Painted, Spoilt, Variant};
use crate::shelf::{BadPlace, Place, Shelf, ShelfFault, Shown};
use crate::ticket::{BadTicket, Ticket, Tickets};

/// What an operator may set.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the bytes are kept.
    pub place: Place,
    /// How long a ticket is good, at most [`TICKET_MOST_MS`].
    pub ticket_ms: u64,
    /// Threads that make pictures of what is sent.
    pub painters: usize,
    /// Pictures that may wait for one of them.
    pub waiting: usize,
}

/// The gallery.
pub struct Gallery {
    rows: Arc<dyn MediaRows>,
    tickets: Tickets,
    ticket_ms: u64,
    painters: Painters,
    shelf: Shelf,
    berths: Berths,
}

/// Why it does not open.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// The place.
    #[error(transparent)]
    Place(#[from] BadPlace),
    /// The painters.
    #[error(transparent)]
    Painters(#[from] PaintersGone),
}

/// A picture that has been taken in.
#[derive(Clone, Debug)]
pub struct TakenIn {
    /// As it may be shown.
    pub media: Media,
    /// It had been before; nothing was done now.
    pub again: bool,
}

/// Why what was sent has not been taken in. Nothing of it is left behind (P2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Turned {
    /// As many come in, or wait for a painter, as may.
    #[error("too many pictures are on their way")]
    Busy,
    /// It is no picture.
    #[error(transparent)]
    Spoilt(#[from] Spoilt),
    /// Another picture was sent under this id.
    #[error("another picture was sent under this id")]
    Other,
    /// The picture has been deleted, or its ticket was forgotten.
    #[error("nobody waits for this picture any more")]
    Gone,
    /// The database or the shelf cannot be reached. The same again later is safe.
    #[error("it cannot be kept now")]
    Away,
}

impl Turned {
    const fn label(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Spoilt(_) => "spoilt",
            Self::Other => "other",
            Self::Gone => "gone",
            Self::Away => "away",
        }
    }
}

impl From<StoreFault> for Turned {
    fn from(fault: StoreFault) -> Self {
        tracing::warn!(%fault, "a picture could not be noted");
        Self::Away
    }
}

impl From<ShelfFault> for Turned {
    fn from(fault: ShelfFault) -> Self {
        tracing::error!(%fault, "a picture could not be kept");
        Self::Away
    }
}

impl From<Full> for Turned {
    fn from(_: Full) -> Self {
        Self::Busy
    }
}

impl Gallery {
    /// Opens the gallery. `key` is the same on all nodes of a database: each believes the others' tickets.
    ///
    /// # Errors
    /// The place makes no sense, or no thread can be made. A folder or object store that is away now does no harm.
    pub fn open(options: Options, rows: Arc<dyn MediaRows>, key: &[u8; 32]) -> Result<Self, NotOpened> {
        Ok(Self {
            rows,
            tickets: Tickets::under(key),
            ticket_ms: options.ticket_ms.min(TICKET_MOST_MS),
            painters: Painters::start(options.painters, options.waiting)?,
            shelf: Shelf::at(options.place)?,
            berths: Berths::default(),
        })
    }

    /// What a ticket allows.
    ///
    /// # Errors
    /// It is not good, or no longer.
    pub fn read_ticket(&self, text: &str) -> Result<Ticket, BadTicket> {
        self.tickets.read(text, now())
    }

    /// A place for an upload.
    ///
    /// # Errors
    /// `Busy` when all are taken, or all of this user's.
    pub fn berth(&self, owner: UserId) -> Result<Berth, Turned> {
        self.berths.take(owner).ok_or_else(|| {
            metrics::counter!("tidings_media_uploads_total", "outcome" => Turned::Busy.label()).increment(1);
            Turned::Busy
        })
    }

    /// Makes a picture of what was sent for a ticket, and keeps it.
    ///
    /// # Errors
    /// See [`Turned`].
    pub async fn take_in(&self, ticket: &Ticket, sent: Bytes) -> Result<TakenIn, Turned> {
        let taken = self.take(ticket, sent).await;
        let outcome = match &taken {
            Ok(TakenIn { again: false, .. }) => "kept",
            Ok(TakenIn { again: true, .. }) => "again",
            Err(turned) => turned.label(),
        };
        metrics::counter!("tidings_media_uploads_total", "outcome" => outcome).increment(1);
        taken
    }

    async fn take(&self, ticket: &Ticket, sent: Bytes) -> Result<TakenIn, Turned> {
        let (id, kind) = (ticket.id, ticket.kind);
        let digest: MediaDigest = Sha256::digest(&sent).into();
        if let Some(before) = self.kept_before(ticket, digest).await? {
            return Ok(TakenIn { media: shown_as(id, kind, before), again: true });
        }
        let Painted { picture, files } = self.painters.paint(kind, sent).await??;
        // From here on nobody can bring another picture under this id, so whoever writes files writes the same ones.
        if !self.rows.claim(id, picture, digest).await? {
            let before = self.kept_before(ticket, digest).await?.ok_or(Turned::Other)?;
            return Ok(TakenIn { media: shown_as(id, kind, before), again: true });
        }
        for (variant, bytes) in files {
            self.shelf.put(id, variant, bytes).await?;
        }
        if !self.rows.kept(id).await? {
            // Deleted meanwhile, perhaps after its files were erased.
            self.shelf.erase(id).await?;
            return Err(Turned::Gone);
        }
        Ok(TakenIn { media: shown_as(id, kind, picture), again: false })
    }

    /// The picture that was sent under this ticket before, if it was this one; none if it is still awaited.
    async fn kept_before(&self, ticket: &Ticket, digest: MediaDigest) -> Result<Option<Picture>, Turned> {
        let known = self.rows.media(ticket.id).await?;
        let Some(KnownMedia { state, .. }) = known.filter(|known| known.owner == ticket.owner) else {
            return Err(Turned::Gone);
        };
        match state {
            MediaState::Awaited => Ok(None),
            MediaState::Kept(picture, kept) if kept == digest => Ok(Some(picture)),
            MediaState::Kept(..) => Err(Turned::Other),
            MediaState::Condemned => Err(Turned::Gone),
        }
    }

    /// The file behind an address; none if there is none. Asks no database: what is shown goes on being shown while that is away.
    ///
    /// # Errors
    /// The shelf cannot be reached.
    pub async fn show(&self, id: MediaId, variant: Variant) -> Result<Option<Shown>, ShelfFault> {
        self.shelf.get(id, variant).await
    }

    /// What somebody looks like now; none if there is nobody.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn face(&self, user: UserId) -> Result<Option<Face>, StoreFault> {
        self.rows.face(user).await
    }

    /// Forgets pictures that nothing has shown for a day, and those that were deleted. Several nodes may do this at once. Returns how many
    /// are gone.
    ///
    /// # Errors
    /// The database or the shelf cannot be reached; what is left goes next time.
    pub async fn forget_unused(&self) -> Result<usize, ForgetFault> {
        let mut gone = 0;
        loop {
            let condemned = self.rows.condemned(UNUSED_MS, CONDEMNED_MS).await?;
            if condemned.is_empty() {
                return Ok(gone);
            }
            for id in &condemned {
                self.shelf.erase(*id).await?;
            }
            self.rows.forget_media(&condemned).await?;
            gone += condemned.len();
        }
    }
}

/// Why forgetting broke off.
#[derive(Debug, thiserror::Error)]
pub enum ForgetFault {
    /// The database.
    #[error(transparent)]
    Rows(#[from] StoreFault),
    /// The shelf.
    #[error(transparent)]
    Shelf(#[from] ShelfFault),
}

#[async_trait]
impl Pictures for Gallery {
    async fn ticket(&self, owner: UserId, wish: MediaTicket) -> Result<MediaTicketed, Refusal> {
        wish.check()?;
        let MediaTicket { id, kind, bytes, .. } = wish;
        let media = match self.rows.wish(owner, wish, MEDIA_BYTES_PER_DAY).await.map_err(away)? {
            Wished::Granted(MediaState::Awaited) => None,
            Wished::Granted(MediaState::Kept(picture, _)) => Some(shown_as(id, kind, picture)),
            Wished::Granted(MediaState::Condemned) | Wished::Taken => {
                return Err(Refusal::new(ErrorCode::Conflict, "this id is taken by something else").field("id"));
            }
            Wished::TooMuch => {
                let message = format!("at most {MEDIA_BYTES_PER_DAY} bytes in 24 hours");
                return Err(Refusal::new(ErrorCode::LimitReached, message).field("bytes"));
            }
            Wished::NoAccount => return Err(Refusal::new(ErrorCode::Unauthorized, "no such account")),
        };
        let expires_at = Millis(now().0 + self.ticket_ms);
        let ticket = self.tickets.write(&Ticket { owner, id, kind, bytes, expires_at });
        Ok(MediaTicketed { upload: format!("{UPLOAD_PATH}{ticket}"), expires_at, max_bytes: bytes, media })
    }

    async fn get(&self, id: MediaId) -> Result<Media, Refusal> {
        let known = self.rows.media(id).await.map_err(away)?;
        match known {
            Some(KnownMedia { kind, state: MediaState::Kept(picture, _), .. }) => Ok(shown_as(id, kind, picture)),
            Some(_) | None => Err(not_found()),
        }
    }

    async fn delete(&self, owner: UserId, id: MediaId) -> Result<(), Refusal> {
        match self.rows.condemn(owner, id).await.map_err(away)? {
            Condemned::Done => {}
            Condemned::NotFound => return Err(not_found()),
            Condemned::Forbidden => return Err(Refusal::new(ErrorCode::Forbidden, "it is not yours")),
            Condemned::Used => return Err(Refusal::new(ErrorCode::Conflict, "a post or profile shows it")),
        }
        // At once where it can be; otherwise when what is unused is forgotten.
        if let Err(fault) = self.shelf.erase(id).await {
            tracing::warn!(%fault, "the files of a deleted picture are left for later");
        }
        Ok(())
    }
}

fn shown_as(id: MediaId, kind: MediaKind, picture: Picture) -> Media {
    Media::of(id, kind, picture.media_type, [picture.width, picture.height], picture.bytes)
}

fn not_found() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "there is no such picture")
}

fn away(fault: StoreFault) -> Refusal {
    match fault {
        StoreFault::Unavailable(_) => {
            Refusal::new(ErrorCode::Unavailable, "the database is away").after_ms(AWAY_AGAIN_MS)
        }
        StoreFault::Broken(cause) => {
            tracing::error!(cause, "a picture's row cannot be read");
            Refusal::new(ErrorCode::Internal, "a fault in the server")
        }
    }
}

/// By this node's clock; a ticket lives long enough for those of other nodes to differ by some seconds.
fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
