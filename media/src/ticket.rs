//! Tickets to send a picture: a short text that any node of a database believes, because it carries a tag under the key they share.
//! Must never believe a field before the tag has been checked, and never show a ticket: whoever has it may use it (P9).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tidings_protocol::ids::{MediaId, UserId};
use tidings_protocol::media::MediaKind;
use tidings_protocol::position::Millis;
use uuid::Uuid;

/// The form of tickets: another one gets another number.
const FORM: u8 = 1;
/// Form, user, picture, kind, bytes, end.
const CLAIM_BYTES: usize = 1 + 16 + 16 + 1 + 4 + 8;
const TAG_BYTES: usize = 32;

/// What a ticket allows: this user to send this picture, once or again, until then.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Who.
    pub owner: UserId,
    /// Which.
    pub id: MediaId,
    /// What for.
    pub kind: MediaKind,
    /// How many bytes, at most.
    pub bytes: u32,
    /// Until when.
    pub expires_at: Millis,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({})", self.id)
    }
}

/// Why a ticket is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTicket {
    /// It was good once.
    #[error("the ticket has run out")]
    Expired,
    /// It never was.
    #[error("this is no ticket")]
    Invalid,
}

/// Writes and reads tickets.
#[derive(Clone)]
pub(crate) struct Tickets(Hmac<Sha256>);

impl Tickets {
    /// Under the key that all nodes share.
    pub(crate) fn under(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// The text of a ticket.
    pub(crate) fn write(&self, ticket: &Ticket) -> String {
        let mut bytes = Vec::with_capacity(CLAIM_BYTES + TAG_BYTES);
        bytes.push(FORM);
        bytes.extend_from_slice(ticket.owner.0.as_bytes());
        bytes.extend_from_slice(ticket.id.0.as_bytes());
        bytes.push(match ticket.kind {
            MediaKind::Avatar => 0,
            MediaKind::Image => 1,
        });
        bytes.extend_from_slice(&ticket.bytes.to_be_bytes());
        bytes.extend_from_slice(&ticket.expires_at.0.to_be_bytes());
        let tag = self.0.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a text allows.
    pub(crate) fn read(&self, text: &str, now: Millis) -> Result<Ticket, BadTicket> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadTicket::Invalid)?;
        let (claim, tag) = bytes.split_first_chunk::<CLAIM_BYTES>().ok_or(BadTicket::Invalid)?;
        self.0.clone().chain_update(claim).verify_slice(tag).map_err(|_| BadTicket::Invalid)?;
        let ticket = fields(claim).ok_or(BadTicket::Invalid)?;
        if ticket.expires_at <= now { Err(BadTicket::Expired) } else { Ok(ticket) }
    }
}

fn fields(claim: &[u8; CLAIM_BYTES]) -> Option<Ticket> {
    let (&form, rest) = claim.split_first()?;
    let (owner, rest) = rest.split_first_chunk()?;
    let (id, rest) = rest.split_first_chunk()?;
    let (kind, rest) = rest.split_first()?;
    let (bytes, end) = rest.split_first_chunk()?;
    let kind = match kind {
        0 => MediaKind::Avatar,
        1 => MediaKind::Image,
        _ => return None,
    };
    (form == FORM).then_some(Ticket {
        owner: UserId(Uuid::from_bytes(*owner)),
        id: MediaId(Uuid::from_bytes(*id)),
        kind,
        bytes: u32::from_be_bytes(*bytes),
        expires_at: Millis(u64::from_be_bytes(end.try_into().ok()?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000);

    fn ticket() -> Ticket {
        Ticket {
            owner: UserId(Uuid::from_u128(1)),
            id: MediaId(Uuid::from_u128(2)),
            kind: MediaKind::Image,
            bytes: 70_000,
            expires_at: Millis(2_000),
        }
    }

    #[test]
    fn any_node_reads_what_another_wrote_until_it_runs_out() {
        let text = Tickets::under(&[7; 32]).write(&ticket());
        let other = Tickets::under(&[7; 32]);
        assert_eq!(other.read(&text, NOW), Ok(ticket()));
        assert_eq!(other.read(&text, Millis(1_999)), Ok(ticket()));
        assert_eq!(other.read(&text, Millis(2_000)), Err(BadTicket::Expired));
        assert_eq!(Tickets::under(&[8; 32]).read(&text, NOW), Err(BadTicket::Invalid));
    }

    #[test]
    fn no_flipped_bit_goes_unnoticed() {
        let tickets = Tickets::under(&[7; 32]);
        let good = URL_SAFE_NO_PAD.decode(tickets.write(&ticket())).unwrap();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                assert_eq!(tickets.read(&URL_SAFE_NO_PAD.encode(bad), NOW), Err(BadTicket::Invalid), "byte {at}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn p8_no_text_is_a_ticket(text in ".{0,200}", bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let tickets = Tickets::under(&[7; 32]);
            proptest::prop_assert_eq!(tickets.read(&text, NOW), Err(BadTicket::Invalid));
            proptest::prop_assert_eq!(tickets.read(&URL_SAFE_NO_PAD.encode(bytes), NOW), Err(BadTicket::Invalid));
        }
    }

    #[test]
    fn p9_a_ticket_is_not_shown() {
        let shown = format!("{:?}", ticket());
        assert!(!shown.contains("70000") && shown.len() < 60, "{shown}");
    }
}
