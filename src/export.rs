//! A copy of everything that is somebody's: leave for it over the socket, the file over HTTP, written as it is read.
//! Must never hold more of it than a page, nor go on for a log-in that has ended (P5), nor show a ticket: whoever has it may use it (P9).

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use tidings_actors::ports::{Claims, Export, ExportPage, ExportWish, StoreFault};
use tidings_protocol::account::AccountExported;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{SessionId, UserId};
use tidings_protocol::limits::EXPORTS_PER_DAY;
use tidings_protocol::position::Millis;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::auth::{Purpose, Secret};

/// Where files are fetched.
pub const EXPORT_PATH: &str = "/api/v1/export/";
/// How long a ticket is good: a page opens the address at once; a person may copy it into another program.
const TICKET_MS: u64 = 10 * 60 * 1_000;
/// Files on their way from one node at the same time: each asks for page after page.
const AT_ONCE: usize = 2;
/// When to come back after finding that many.
const BUSY_AGAIN_MS: u64 = 5_000;
/// The form of tickets: another one gets another number.
const FORM: u8 = 1;
/// Form, user, log-in, end.
const CLAIM_BYTES: usize = 1 + 16 + 16 + 8;

/// Gives out copies.
pub struct Exports {
    store: Arc<dyn Export>,
    key: hmac::Key,
    slots: Arc<Semaphore>,
}

/// What a ticket allows: this user, as long as this log-in lives, until then.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ticket {
    user: UserId,
    session: SessionId,
    expires_at: Millis,
}

/// Why a file breaks off.
#[derive(Debug, thiserror::Error)]
pub enum BrokenOff {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The log-in has ended meanwhile.
    #[error("the log-in that asked for it has ended")]
    Ended,
}

impl Exports {
    /// Under a key that all nodes share.
    #[must_use]
    pub fn new(store: Arc<dyn Export>, secret: &Secret) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.derive(Purpose::Exports).as_slice());
        Self { store, key, slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Leave to fetch a copy.
    ///
    /// # Errors
    /// `limit_reached`, `unauthorized` for a log-in that has ended, and what the database refuses.
    pub async fn ticket(&self, who: Claims) -> Result<AccountExported, Refusal> {
        match self.store.wish_export(who.user, who.session).await.map_err(unavailable)? {
            ExportWish::Granted => {}
            ExportWish::Ended => return Err(Refusal::new(ErrorCode::Unauthorized, "this log-in has ended")),
            ExportWish::TooMany => {
                let message = format!("no more than {EXPORTS_PER_DAY} copies a day");
                return Err(Refusal::new(ErrorCode::LimitReached, message));
            }
        }
        let expires_at = Millis(now_ms() + TICKET_MS);
        let ticket = self.write(Ticket { user: who.user, session: who.session, expires_at });
        Ok(AccountExported { url: format!("{EXPORT_PATH}{ticket}"), expires_at })
    }

    /// The file of a ticket, as it is read.
    ///
    /// # Errors
    /// `bad_token`, `token_expired`, `overloaded`, and what the database refuses before it begins.
    pub async fn open(&self, ticket: &str) -> Result<impl Stream<Item = Result<Bytes, BrokenOff>> + use<>, Refusal> {
        let Ticket { user, session, .. } = self.read(ticket, Millis(now_ms()))?;
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| {
            Refusal::new(ErrorCode::Overloaded, "too many copies are being fetched").after_ms(BUSY_AGAIN_MS)
        })?;
        let sections = self.store.export_sections().await.map_err(unavailable)?;
        // Asked before the answer begins: a log-in that has ended is told so, and not by a file that breaks off.
        if let Some(first) = sections.first()
            && self.store.export_page(user, session, first, "").await.map_err(unavailable)?.is_none()
        {
            return Err(bad_ticket());
        }
        let copy = Copy { store: Arc::clone(&self.store), user, session, sections, at: 0, after: None, _slot: slot };
        Ok(try_unfold(copy, |copy| copy.next()))
    }

    fn write(&self, ticket: Ticket) -> String {
        let mut bytes = Vec::with_capacity(CLAIM_BYTES + 32);
        bytes.push(FORM);
        bytes.extend_from_slice(ticket.user.0.as_bytes());
        bytes.extend_from_slice(ticket.session.0.as_bytes());
        bytes.extend_from_slice(&ticket.expires_at.0.to_be_bytes());
        let tag = hmac::sign(&self.key, &bytes);
        bytes.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// No field is believed before the tag has been checked.
    fn read(&self, text: &str, now: Millis) -> Result<Ticket, Refusal> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad_ticket())?;
        let (claim, tag) = bytes.split_first_chunk::<CLAIM_BYTES>().ok_or_else(bad_ticket)?;
        hmac::verify(&self.key, claim, tag).map_err(|_| bad_ticket())?;
        let ticket = fields(claim).ok_or_else(bad_ticket)?;
        if ticket.expires_at <= now {
            return Err(Refusal::new(ErrorCode::TokenExpired, "the address has run out: ask for another"));
        }
        Ok(ticket)
    }
}

fn fields(claim: &[u8; CLAIM_BYTES]) -> Option<Ticket> {
    let (&form, rest) = claim.split_first()?;
    let (user, rest) = rest.split_first_chunk()?;
    let (session, rest) = rest.split_first_chunk()?;
    (form == FORM).then_some(Ticket {
        user: UserId(Uuid::from_bytes(*user)),
        session: SessionId(Uuid::from_bytes(*session)),
        expires_at: Millis(u64::from_be_bytes(rest.try_into().ok()?)),
    })
}

/// A file on its way.
struct Copy {
    store: Arc<dyn Export>,
    user: UserId,
    session: SessionId,
    sections: Vec<String>,
    /// The section that comes next; one past the last: the end of the file.
    at: usize,
    /// Within a section, the row before its next page.
    after: Option<String>,
    _slot: OwnedSemaphorePermit,
}

impl Copy {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, BrokenOff> {
        if self.at > self.sections.len() {
            return Ok(None);
        }
        let mut text = String::new();
        let Some(section) = self.sections.get(self.at) else {
            text.push_str(if self.at == 0 { "{}\n" } else { "\n}\n" });
            self.at += 1;
            return Ok(Some((text.into(), self)));
        };
        let after = self.after.as_deref().unwrap_or_default();
        let page = self.store.export_page(self.user, self.session, section, after).await?.ok_or(BrokenOff::Ended)?;
        if self.after.is_none() {
            text.push_str(if self.at == 0 { "{\n" } else { ",\n" });
            text.push_str(&serde_json::Value::from(section.as_str()).to_string());
            text.push_str(": [");
        }
        self.put(&mut text, page);
        Ok(Some((text.into(), self)))
    }

    fn put(&mut self, text: &mut String, page: ExportPage) {
        let mut is_first = self.after.is_none();
        for row in page.rows {
            text.push_str(if is_first { "\n" } else { ",\n" });
            text.push_str(&row);
            is_first = false;
        }
        self.after = page.next;
        if self.after.is_none() {
            text.push(']');
            self.at += 1;
        }
    }
}

fn bad_ticket() -> Refusal {
    Refusal::new(ErrorCode::BadToken, "this is no ticket, or its log-in has ended")
}

fn unavailable(fault: StoreFault) -> Refusal {
    tracing::warn!(%fault, "a copy of somebody's things could not be read");
    Refusal::new(ErrorCode::Unavailable, "the database cannot be reached now").after_ms(BUSY_AGAIN_MS)
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use futures_util::TryStreamExt as _;
    use tidings_actors::ports::ExportPage;

    use super::*;

    /// Three sections of five, no and one rows, in pages of two.
    #[derive(Default)]
    struct Shelf {
        ended_after: Option<usize>,
        asked: Mutex<usize>,
    }

    #[async_trait]
    impl Export for Shelf {
        async fn wish_export(&self, _: UserId, _: SessionId) -> Result<ExportWish, StoreFault> {
            Ok(ExportWish::Granted)
        }

        async fn export_sections(&self) -> Result<Vec<String>, StoreFault> {
            Ok(["five", "none", "one"].map(str::to_owned).to_vec())
        }

        async fn export_page(
            &self,
            _: UserId,
            _: SessionId,
            section: &str,
            after: &str,
        ) -> Result<Option<ExportPage>, StoreFault> {
            let mut asked = self.asked.lock().unwrap();
            *asked += 1;
            if self.ended_after.is_some_and(|after| *asked > after) {
                return Ok(None);
            }
            let many = match section {
                "five" => 5,
                "one" => 1,
                _ => 0,
            };
            let from: usize = after.parse().unwrap_or(0);
            let rows: Vec<String> = (from..many).take(2).map(|nth| format!("{{\"n\":{nth}}}")).collect();
            let next = (rows.len() == 2).then(|| (from + 2).to_string());
            Ok(Some(ExportPage { rows, next }))
        }
    }

    fn exports(shelf: Shelf) -> Exports {
        Exports::new(Arc::new(shelf), &Secret::given(&"0123456789abcdef0123456789abcdef".into()))
    }

    fn ticket(expires_at: u64) -> Ticket {
        Ticket {
            user: UserId(Uuid::from_u128(1)),
            session: SessionId(Uuid::from_u128(2)),
            expires_at: Millis(expires_at),
        }
    }

    async fn file(exports: &Exports) -> Result<String, BrokenOff> {
        let text = exports.write(ticket(now_ms() + 1_000));
        let parts: Vec<Bytes> = exports.open(&text).await.unwrap().try_collect().await?;
        Ok(String::from_utf8(parts.concat()).unwrap())
    }

    #[tokio::test]
    async fn pages_make_one_whole_file() {
        let text = file(&exports(Shelf::default())).await.unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        let numbers = |section: &str| {
            read[section].as_array().unwrap().iter().map(|row| row["n"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!((numbers("five"), numbers("none"), numbers("one")), (vec![0, 1, 2, 3, 4], vec![], vec![0]));
    }

    #[tokio::test]
    async fn p5_a_file_breaks_off_when_its_log_in_ends() {
        let broken = file(&exports(Shelf { ended_after: Some(2), ..Shelf::default() })).await;
        assert!(matches!(broken, Err(BrokenOff::Ended)));
        let exports = exports(Shelf { ended_after: Some(0), ..Shelf::default() });
        let text = exports.write(ticket(now_ms() + 1_000));
        assert!(exports.open(&text).await.is_err_and(|refusal| refusal.code == ErrorCode::BadToken));
    }

    #[tokio::test]
    async fn p6_only_so_many_are_fetched_at_once_and_each_gives_its_place_back() {
        let exports = exports(Shelf::default());
        let text = exports.write(ticket(now_ms() + 1_000));
        let first = exports.open(&text).await.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        let second = exports.open(&text).await.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        assert!(exports.open(&text).await.is_err_and(|refusal| refusal.code == ErrorCode::Overloaded));
        drop((first, second));
        assert!(exports.open(&text).await.is_ok());
    }

    #[test]
    fn a_ticket_is_good_as_it_was_written_and_until_it_runs_out() {
        let exports = exports(Shelf::default());
        let text = exports.write(ticket(2_000));
        assert!(exports.read(&text, Millis(1_999)).is_ok_and(|read| read == ticket(2_000)));
        assert!(exports.read(&text, Millis(2_000)).is_err_and(|refusal| refusal.code == ErrorCode::TokenExpired));
        let good = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let read = exports.read(&URL_SAFE_NO_PAD.encode(bad), Millis(1));
            assert!(read.is_err_and(|refusal| refusal.code == ErrorCode::BadToken), "byte {at}");
        }
        assert!(exports.read("", Millis(1)).is_err());
    }
}
