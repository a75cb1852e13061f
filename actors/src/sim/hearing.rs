//! What clients make of what they hear, and what must be true of each single message: who may hear it, whether it has been committed,
//! and whether the position it tells is a true one.

use tidings_protocol::error::Refusal;
use tidings_protocol::ids::UserId;
use tidings_protocol::position::Seq;
use tidings_protocol::reply::{FeedStart, Snapshot, Welcome};

use super::audience::starts_afresh;
use super::client::{Message, newest_first, read};
use super::line::PONG;
use super::model::session_id;
use super::people::{Asked, Wish};
use super::telling::{Told, may_be_told};
use super::world::{Event, World};
use crate::limits::BLIND_AFTER_MS;

/// What is on its way when a node falls silent may still be read a little later.
const ON_ITS_WAY_MS: u64 = 1_500;
/// Bytes a connection holds for a client who looks.
const ROOM: usize = 200_000;

impl World {
    /// Whoever has something to look at looks, sooner or later.
    pub(super) fn wake_readers(&mut self) {
        let stirred = std::mem::take(&mut *self.stirred.borrow_mut());
        for number in stirred {
            let owner =
                self.people.iter().position(|person| person.line.as_ref().is_some_and(|line| line.number == number));
            let Some(at) = owner else { continue };
            if std::mem::replace(&mut self.people[at].looking, true) {
                continue;
            }
            let late = self.faults && self.dice.percent(5);
            let wait = if late { self.dice.between(3, 200) } else { self.dice.between(0, 2) };
            let stalled = self.people[at].stalled_until.saturating_sub(self.now);
            self.later(wait.max(stalled), Event::Reads(at, number));
        }
    }

    pub(super) fn reads(&mut self, at: usize, number: u64) {
        self.people[at].looking = false;
        let Some(line) = self.people[at].line.clone() else { return };
        if line.number != number {
            // Of an earlier line; there may be something on this one.
            return self.stirred.borrow_mut().push(line.number);
        }
        if self.people[at].stalled_until > self.now {
            return self.stirred.borrow_mut().push(number);
        }
        let written_at = line.written_at.get();
        let taken = line.take(ROOM);
        self.note(2, &taken);
        let node = self.people[at].node;
        self.tell(|| format!("person {at} of node {node} hears {}", String::from_utf8_lossy(&taken).trim_end()));
        self.people[at].heard_at = self.now;
        self.people[at].written_at =
            written_at.map_or(0, |at| u64::try_from((at - self.began).as_millis()).expect("short"));
        for text in std::str::from_utf8(&taken).expect("text").lines() {
            self.seen.messages += 1;
            self.hears(at, text);
            // The line may be lost between any two messages.
            if self.faults && self.dice.below(300) == 0 {
                return self.hangs_up(at);
            }
        }
        if line.dropped.get() {
            self.loses_the_line(at);
        }
    }

    fn hears(&mut self, at: usize, text: &str) {
        if text == "!ping" {
            return self.people[at].line.iter().for_each(|line| line.send(PONG.to_owned()));
        }
        if let Some(number) = text.strip_prefix("!close ") {
            let number: u16 = number.parse().expect("a number");
            let fine = matches!(number, 4_000..=4_099 | 4_402);
            assert!(fine, "a good client was closed with {number}");
            self.people[at].closed = Some(number);
            return;
        }
        let message: Message<'_> = read(text);
        if let Some(id) = message.id {
            let asked = self.people[at].asked.remove(&id).unwrap_or_else(|| panic!("an answer to nothing: {text}"));
            match (message.result, message.error) {
                (Some(result), None) => self.is_granted(at, asked, result.get()),
                (None, Some(error)) => self.is_refused(at, asked, &read(error.get())),
                _ => panic!("neither result nor error: {text}"),
            }
            return;
        }
        self.may_hear(at, &message, text);
        self.people[at].client.take(&message);
        match message.event {
            Some("heartbeat") => self.is_told_the_truth(at),
            Some("feed.resync") => self.seen.resyncs += 1,
            _ => {}
        }
    }

    fn is_granted(&mut self, at: usize, asked: Asked, result: &str) {
        match asked {
            Asked::Hello => self.is_let_in(at, read(result)),
            Asked::Subscribe => {
                let snapshot: Snapshot = read(result);
                self.may_start(at, &snapshot);
                self.people[at].client.start(&snapshot);
            }
            Asked::Unsubscribe(feed) => drop(self.people[at].client.feeds.remove(&feed)),
            Asked::Write(wish) => {
                #[derive(serde::Deserialize)]
                struct Granted {
                    seq: Seq,
                }
                let Granted { seq } = read(result);
                assert!(
                    self.database.has_committed(seq.0, wish.thing),
                    "acknowledged and not committed (P2): {wish:?} {result}"
                );
                self.seen.acknowledged += 1;
            }
        }
    }

    fn is_refused(&mut self, at: usize, asked: Asked, refusal: &Refusal) {
        match asked {
            // The close frame says the rest.
            Asked::Hello | Asked::Subscribe => {}
            Asked::Unsubscribe(feed) => assert!(refusal.retry, "{feed} cannot be given up: {refusal:?}"),
            Asked::Write(wish) => self.is_denied(at, wish, refusal),
        }
    }

    fn is_denied(&mut self, at: usize, wish: Wish, refusal: &Refusal) {
        match refusal.code.as_str() {
            "unavailable" | "overloaded" => self.people[at].wishes.push_back(wish),
            "not_found" => {}
            // Nobody turns to and away from the same person as fast as the dice do.
            "forbidden" | "stale" | "rate_limited" if !wish.creates => {}
            code => panic!("{code} to {wish:?}"),
        }
    }

    fn is_let_in(&mut self, at: usize, welcome: Welcome) {
        let person = &mut self.people[at];
        let had = person.client.cursor;
        if welcome.resumed {
            assert_eq!(had, Some(welcome.cursor), "resumed from elsewhere");
            self.seen.resumed += 1;
        } else {
            self.seen.afresh += 1;
        }
        if had.is_some_and(|had| had.epoch != welcome.cursor.epoch) {
            person.client.forgets();
        }
        for start in &welcome.feeds {
            match start {
                FeedStart::Live { feed } => {
                    let goes_on = had.is_some_and(|had| had.epoch == welcome.cursor.epoch);
                    assert!(goes_on && person.client.feeds.contains_key(feed), "{feed} cannot go on from nothing");
                }
                FeedStart::Snapshot { snapshot } => person.client.start(snapshot),
                FeedStart::Refused { feed, .. } => drop(person.client.feeds.remove(feed)),
            }
        }
        person.client.cursor = Some(welcome.cursor);
        (person.live, person.tries, person.heartbeat_ms) = (true, 0, welcome.heartbeat_ms);
        for start in &welcome.feeds {
            if let FeedStart::Snapshot { snapshot } = start {
                self.may_start(at, snapshot);
            }
        }
    }

    /// P5: nothing of what came after the end of a log-in reaches it, and nothing at all long after.
    fn may_have(&self, at: usize, seq: Seq, what: &str) {
        let person = &self.people[at];
        let here = person.client.cursor.is_some_and(|cursor| cursor.epoch == self.database.epoch());
        if let Some((ended, when)) = self.database.ended_at(session_id(person.log_in))
            && here
        {
            assert!(seq.0 < ended, "told after the end of the log-in by entry {ended}: {what}");
            let late = person.written_at > when + BLIND_AFTER_MS + ON_ITS_WAY_MS;
            assert!(
                !late || !person.attentive,
                "told at {}, long after the end of the log-in at {when}: {what}",
                self.now
            );
        }
    }

    /// What a node tells before it knows that the journal began a new life may be of both; it is void as soon as it knows.
    fn may_start(&self, at: usize, snapshot: &Snapshot) {
        self.may_have(at, snapshot.seq, "a snapshot");
        let here = self.people[at].client.cursor.is_some_and(|cursor| cursor.epoch == self.database.epoch());
        assert!(!here || newest_first(snapshot), "{snapshot:?}");
    }

    fn may_hear(&mut self, at: usize, message: &Message<'_>, text: &str) {
        let (Some(_), Some(seq)) = (message.feed, message.seq) else { return };
        if message.event == Some("feed.resync") {
            let snapshot: Snapshot = read(message.data.expect("of a push").get());
            return self.may_start(at, &snapshot);
        }
        self.may_have(at, seq, text);
        let person = &self.people[at];
        let here = person.client.cursor.is_some_and(|cursor| cursor.epoch == self.database.epoch());
        if here {
            let short = self.may_see(person.user_id(), seq.0, text) == Told::Short;
            self.seen.short += u64::from(short);
        }
    }

    /// P5: what is told may be told as things stood at its entry, or at some change since.
    fn may_see(&self, viewer: Option<UserId>, seq: u64, text: &str) -> Told {
        let at = |seq| may_be_told(&self.database.list.state(seq), viewer, text);
        let told = (seq..=self.database.list.head()).find_map(at);
        told.unwrap_or_else(|| panic!("{viewer:?} may not be told (P5): {text}"))
    }

    /// P3: whoever is told a position holds all that was last changed up to there.
    fn is_told_the_truth(&mut self, at: usize) {
        let person = &mut self.people[at];
        let cursor = person.client.cursor.expect("a heartbeat tells one");
        let compared = (cursor.seq.0, self.database.list.head());
        if cursor.epoch != self.database.epoch() || std::mem::replace(&mut person.compared, compared) == compared {
            return;
        }
        let person = &self.people[at];
        let state = &self.database.list.present;
        let viewer = person.user_id();
        let since = usize::try_from(cursor.seq.0).expect("small");
        let since = self.database.list.entries.get(since..).unwrap_or_default();
        for feed in person.client.feeds.keys() {
            let given_up =
                person.asked.values().any(|asked| matches!(asked, Asked::Unsubscribe(unwanted) if unwanted == feed));
            let afresh = since.iter().any(|entry| starts_afresh(*feed, &entry.change, viewer));
            if given_up || afresh || !state.is_open(*feed, viewer) {
                continue;
            }
            if let Err(wrong) = person.client.compare(*feed, viewer, state, cursor.seq.0) {
                panic!("told {cursor} (P3), but {wrong}");
            }
        }
    }
}
