//! Owns the form of a message between nodes: four bytes that say of which kind it is, node id (16 bytes), HMAC-SHA-256 under the node secret
//! (32 bytes), JSON of a rumour ([`Batch`](tidings_actors::entry::Batch)) or a whisper.
//! Must never read JSON that no holder of the secret has written, and never panic, whatever the bytes (P8).

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::spoken::Spoken;

const MAGIC_BYTES: usize = 4;
const NODE: std::ops::Range<usize> = MAGIC_BYTES..20;
const SEAL: std::ops::Range<usize> = 20..52;
const HEADER_BYTES: usize = SEAL.end;

/// What a message turned out to be.
#[derive(Debug)]
pub enum Opened<T> {
    /// A peer's.
    Peer(T),
    /// Not to be believed: forged, garbled, cut off, too large, of the other kind, or what no node of ours can have said.
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

    /// The name of the channel: nodes with another secret do not even share it.
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

    /// The message for it; none if it would be larger than a message of its kind may be.
    pub fn close<T: Spoken>(&self, what: &T) -> Option<Vec<u8>> {
        let mut message = vec![0; HEADER_BYTES];
        message[..NODE.start].copy_from_slice(T::MAGIC);
        message[NODE].copy_from_slice(&self.node);
        serde_json::to_writer(&mut message, what).ok()?;
        if message.len() > T::MOST_BYTES {
            return None;
        }
        let seal = self.mac(&message).finalize().into_bytes();
        message[SEAL].copy_from_slice(&seal);
        Some(message)
    }

    /// Whether the message claims to be one's own. Asked before anything else is done with it.
    pub fn is_own<T: Spoken>(&self, message: &[u8]) -> bool {
        message.get(..NODE.start) == Some(T::MAGIC) && message.get(NODE) == Some(&self.node)
    }

    /// Checks and reads a message.
    pub fn open<T: Spoken>(&self, message: &[u8]) -> Opened<T> {
        let length_is_possible = (HEADER_BYTES + 1..=T::MOST_BYTES).contains(&message.len());
        if !length_is_possible || message[..NODE.start] != *T::MAGIC {
            return Opened::Forged;
        }
        if self.mac(message).verify_slice(&message[SEAL]).is_err() {
            return Opened::Forged;
        }
        match serde_json::from_slice::<T>(&message[HEADER_BYTES..]) {
            Ok(what) if what.is_sound() => Opened::Peer(what),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::value::RawValue;
    use tidings_actors::entry::{Batch, Change, Entry, Verb};
    use tidings_actors::presence::whisper::Whisper;
    use tidings_protocol::ids::UserId;
    use tidings_protocol::position::{Epoch, Seq};

    use super::*;
    use crate::limits::{MESSAGE_BYTES, WHISPER_BYTES};

    fn whisper(number: u64) -> Whisper {
        let (people, readers) = Default::default();
        Whisper { node: Default::default(), number, asks: false, people, readers, typed: Vec::new() }
    }

    fn batch(first: u64, seqs: &[u64], last: u64) -> Batch {
        let body: Arc<RawValue> = RawValue::from_string("{\"rev\":1}".into()).unwrap().into();
        let entry = |seq: &u64| Entry {
            seq: Seq(*seq),
            change: Change::User { verb: Verb::Updated, id: UserId(Default::default()) },
            body: Arc::clone(&body),
            scope: None,
        };
        Batch { epoch: Epoch(77), first: Seq(first), last: Seq(last), entries: seqs.iter().map(entry).collect() }
    }

    #[test]
    fn a_peer_reads_what_was_sealed() {
        let (ann, bob) = (Seal::new(&[1; 32]), Seal::new(&[1; 32]));
        let message = ann.close(&batch(3, &[3, 5], 6)).unwrap();
        assert!(ann.is_own::<Batch>(&message) && !bob.is_own::<Batch>(&message));
        let Opened::Peer(read) = bob.open::<Batch>(&message) else {
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
        assert!(matches!(ann.open::<Batch>(&message), Opened::Forged));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let (ann, bob) = (Seal::new(&[1; 32]), Seal::new(&[1; 32]));
        let message = ann.close(&batch(1, &[1], 1)).unwrap();
        for bit in 0..message.len() * 8 {
            let mut bent = message.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(bob.open::<Batch>(&bent), Opened::Forged), "bit {bit}");
        }
        for length in 0..message.len() {
            assert!(matches!(bob.open::<Batch>(&message[..length]), Opened::Forged));
        }
    }

    #[test]
    fn what_no_journal_can_hold_is_refused_though_well_sealed() {
        let (ann, bob) = (Seal::new(&[1; 32]), Seal::new(&[1; 32]));
        for unsound in [batch(2, &[], 1), batch(1, &[2, 1], 2), batch(1, &[1, 1], 2), batch(1, &[3], 2)] {
            let message = ann.close(&unsound).unwrap();
            assert!(matches!(bob.open::<Batch>(&message), Opened::Forged));
        }
    }

    #[test]
    fn no_kind_of_message_is_taken_for_the_other() {
        let (ann, bob) = (Seal::new(&[1; 32]), Seal::new(&[1; 32]));
        let (rumour, mut whispered) = (ann.close(&batch(1, &[1], 1)).unwrap(), ann.close(&whisper(1)).unwrap());
        assert!(matches!(bob.open::<Whisper>(&whispered), Opened::Peer(Whisper { number: 1, .. })));
        assert!(matches!(bob.open::<Whisper>(&rumour), Opened::Forged));
        assert!(matches!(bob.open::<Batch>(&whispered), Opened::Forged));
        assert!(ann.is_own::<Whisper>(&whispered) && !ann.is_own::<Whisper>(&rumour));
        // What says of which kind it is, is sealed too.
        whispered[..MAGIC_BYTES].copy_from_slice(Batch::MAGIC);
        assert!(matches!(bob.open::<Batch>(&whispered), Opened::Forged));
    }

    #[test]
    fn a_whisper_that_no_crier_says_is_refused_though_well_sealed() {
        let (ann, bob) = (Seal::new(&[1; 32]), Seal::new(&[1; 32]));
        let mut much = whisper(1);
        let user = |n: u128| UserId(uuid::Uuid::from_u128(n));
        much.people.changed = (0..2_001).map(|n| (user(n), None)).collect();
        assert!(matches!(bob.open::<Whisper>(&ann.close(&much).unwrap()), Opened::Forged));
        much.people.changed.pop();
        assert!(matches!(bob.open::<Whisper>(&ann.close(&much).unwrap()), Opened::Peer(_)));
        assert!(matches!(bob.open::<Whisper>(&vec![0; WHISPER_BYTES + 1]), Opened::Forged));
    }

    #[test]
    fn what_is_too_large_is_neither_sent_nor_read() {
        let seal = Seal::new(&[1; 32]);
        let mut large = batch(1, &[1], 1);
        let text = format!("\"{}\"", "x".repeat(MESSAGE_BYTES));
        large.entries[0].body = RawValue::from_string(text).unwrap().into();
        assert!(seal.close(&large).is_none());
        assert!(matches!(seal.open::<Batch>(&vec![0; MESSAGE_BYTES + 1]), Opened::Forged));
    }
}
