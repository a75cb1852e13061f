//! Owns the form of a message between nodes: `TDB1`, node id (16 bytes), HMAC-SHA-256 under the node secret (32 bytes), JSON of a [`Batch`].
//! Must never read JSON that no holder of the secret has written, and never panic, whatever the bytes (P8).

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tidings_actors::entry::Batch;

use crate::limits::MESSAGE_BYTES;

const MAGIC: &[u8; 4] = b"TDB1";
const NODE: std::ops::Range<usize> = 4..20;
const SEAL: std::ops::Range<usize> = 20..52;
const HEADER_BYTES: usize = SEAL.end;

/// What a message turned out to be.
#[derive(Debug)]
pub enum Opened {
    /// A peer's.
    Peer(Batch),
    /// Not to be believed: forged, garbled, cut off, too large, or with entries that no journal can hold.
    Forged,
}

/// Seals and opens messages of one node.
#[derive(Clone)]
pub struct Seal {
    node: [u8; 16],
    keyed: Hmac<Sha256>,
}

/// Never shows the key (P9).
impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// A seal under `secret` with a node id that no other bus has.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self { node: rand::random(), keyed: keyed(secret) }
    }

    /// The channel's name: nodes with another secret do not even share it.
    pub fn channel(&self) -> String {
        let mut mac = self.keyed.clone();
        mac.update(b"channel");
        let name = mac.finalize().into_bytes();
        name[..8].iter().fold("tidings:1:".to_owned(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _written = write!(text, "{byte:02x}");
            text
        })
    }

    /// The message for `batch`; none if it would be larger than a message may be.
    pub fn close(&self, batch: &Batch) -> Option<Vec<u8>> {
        let mut message = vec![0; HEADER_BYTES];
        message[..NODE.start].copy_from_slice(MAGIC);
        message[NODE].copy_from_slice(&self.node);
        serde_json::to_writer(&mut message, batch).ok()?;
        if message.len() > MESSAGE_BYTES {
            return None;
        }
        let seal = self.mac(&message).finalize().into_bytes();
        message[SEAL].copy_from_slice(&seal);
        Some(message)
    }

    /// Whether the message claims to be one's own. Asked before anything else is done with it.
    pub fn is_own(&self, message: &[u8]) -> bool {
        message.get(..NODE.start) == Some(MAGIC) && message.get(NODE) == Some(&self.node)
    }

    /// Checks and reads a message.
    pub fn open(&self, message: &[u8]) -> Opened {
        let length_is_possible = (HEADER_BYTES + 1..=MESSAGE_BYTES).contains(&message.len());
        if !length_is_possible || message[..NODE.start] != *MAGIC {
            return Opened::Forged;
        }
        if self.mac(message).verify_slice(&message[SEAL]).is_err() {
            return Opened::Forged;
        }
        match serde_json::from_slice::<Batch>(&message[HEADER_BYTES..]) {
            Ok(batch) if is_sound(&batch) => Opened::Peer(batch),
            Ok(_) | Err(_) => Opened::Forged,
        }
    }

    /// Over everything but the seal itself.
    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        mac.update(b"message");
        mac.update(&message[..SEAL.start]);
        mac.update(&message[SEAL.end..]);
        mac
    }
}

/// The secret has other uses; what is sealed here is of no use there.
fn keyed(secret: &[u8; 32]) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(b"tidings bus 1\0");
    mac
}

/// A contiguous range whose entries lie in it, ascending. A peer of ours sends nothing else.
fn is_sound(batch: &Batch) -> bool {
    let ascending = batch.entries.is_sorted_by(|a, b| a.seq < b.seq);
    let within = |seq| (batch.first..=batch.last).contains(&seq);
    batch.first <= batch.last && ascending && batch.entries.iter().all(|entry| within(entry.seq))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::value::RawValue;
    use tidings_actors::entry::{Change, Entry, Verb};
    use tidings_protocol::ids::UserId;
    use tidings_protocol::position::{Epoch, Seq};

    use super::*;

    fn batch(first: u64, seqs: &[u64], last: u64) -> Batch {
        let body: Arc<RawValue> = RawValue::from_string("{\"rev\":1}".into()).unwrap().into();
        let entry = |seq: &u64| Entry {
            seq: Seq(*seq),
            change: Change::User { verb: Verb::Updated, id: UserId(Default::default()) },
            body: Arc::clone(&body),
        };
        Batch { epoch: Epoch(77), first: Seq(first), last: Seq(last), entries: seqs.iter().map(entry).collect() }
    }

    #[test]
    fn a_peer_reads_what_was_sealed() {
        let (ann, bob) = (Seal::new(&[1; 32]), Seal::new(&[1; 32]));
        let message = ann.close(&batch(3, &[3, 5], 6)).unwrap();
        assert!(ann.is_own(&message) && !bob.is_own(&message));
        let Opened::Peer(read) = bob.open(&message) else {
            panic!("refused a peer's message");
        };
        assert_eq!((read.epoch, read.first, read.last), (Epoch(77), Seq(3), Seq(6)));
        assert_eq!(read.entries[1].seq, Seq(5));
        assert_eq!(read.entries[1].body.get(), "{\"rev\":1}");
    }

    #[test]
    fn another_secret_means_another_channel_and_no_belief() {
        let (ann, eve) = (Seal::new(&[1; 32]), Seal::new(&[2; 32]));
        assert_ne!(ann.channel(), eve.channel());
        assert_eq!(ann.channel(), Seal::new(&[1; 32]).channel());
        let message = eve.close(&batch(1, &[1], 1)).unwrap();
        assert!(matches!(ann.open(&message), Opened::Forged));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let (ann, bob) = (Seal::new(&[1; 32]), Seal::new(&[1; 32]));
        let message = ann.close(&batch(1, &[1], 1)).unwrap();
        for bit in 0..message.len() * 8 {
            let mut bent = message.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(bob.open(&bent), Opened::Forged), "bit {bit}");
        }
        for length in 0..message.len() {
            assert!(matches!(bob.open(&message[..length]), Opened::Forged));
        }
    }

    #[test]
    fn what_no_journal_can_hold_is_refused_though_well_sealed() {
        let (ann, bob) = (Seal::new(&[1; 32]), Seal::new(&[1; 32]));
        for unsound in [batch(2, &[], 1), batch(1, &[2, 1], 2), batch(1, &[1, 1], 2), batch(1, &[3], 2)] {
            let message = ann.close(&unsound).unwrap();
            assert!(matches!(bob.open(&message), Opened::Forged));
        }
    }

    #[test]
    fn what_is_too_large_is_neither_sent_nor_read() {
        let seal = Seal::new(&[1; 32]);
        let mut large = batch(1, &[1], 1);
        let text = format!("\"{}\"", "x".repeat(MESSAGE_BYTES));
        large.entries[0].body = RawValue::from_string(text).unwrap().into();
        assert!(seal.close(&large).is_none());
        assert!(matches!(seal.open(&vec![0; MESSAGE_BYTES + 1]), Opened::Forged));
    }
}
