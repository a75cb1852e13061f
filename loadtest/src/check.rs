//! Judges a history: every acknowledged post reached every connected follower once, in order, unchanged, and nobody else; so did
//! every comment those who watch its thread (P1–P3, P5).
//! Pure, and independent of the server: it knows nothing but what clients saw. Must never forgive a history for being inconvenient.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::history::{Heard, History, Life, Outcome, Posted, Reader, SeenPost};

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anomaly {
    /// Done, but a follower never heard of it.
    Lost,
    /// Sent again to one that had it, beyond what a resume may repeat.
    Doubled,
    /// Sent after something later, or from before the cursor.
    Reordered,
    /// Nobody posted it, or it had been refused.
    Phantom,
    /// Not the text that was posted.
    Altered,
    /// Sent to somebody who does not follow its author.
    Misdelivered,
    /// Two places in the journal for one post, or two posts in one place.
    TwoPlaces,
    /// An author's posts stand in the journal in another order than they were sent.
    OutOfTurn,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// What kind.
    pub anomaly: Anomaly,
    /// The connection that saw it; none where the answers to authors alone show it.
    pub reader: Option<usize>,
    /// The post; nil where it is another kind of event.
    pub post: Uuid,
    /// Where in the journal, if known.
    pub seq: Option<u64>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: post {}", self.anomaly, self.post)?;
        if let Some(seq) = self.seq {
            write!(f, " (seq {seq})")?;
        }
        match self.reader {
            Some(reader) => write!(f, " at connection {reader}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a history; empty if it is good.
#[must_use]
pub fn check(history: &History) -> Vec<Violation> {
    let mut judge = Judge::new(history);
    judge.places();
    judge.turns();
    for (number, reader) in history.readers.iter().enumerate().filter(|(_, reader)| reader.kept) {
        judge.reader(number, reader);
    }
    judge.found
}

struct Judge<'a> {
    history: &'a History,
    /// Post by id.
    numbers: HashMap<Uuid, usize>,
    /// Where each post stands in the journal, by its ack or else by the first who heard it.
    places: Vec<Option<u64>>,
    found: Vec<Violation>,
}

/// What one reader has got so far.
struct Ear {
    number: usize,
    person: usize,
    thread: Option<usize>,
    before: u64,
    /// The last `seq` that was pushed in this life, on whichever feed.
    pushed: u64,
    home: Feed,
    comments: Feed,
    had: HashSet<usize>,
}

/// What one reader knows of one feed.
#[derive(Default)]
struct Feed {
    /// Of the last snapshot in this life: nothing older may come on this feed.
    floor: u64,
    /// Older posts that snapshots left out: after the first and before the second number.
    excused: Vec<(u64, u64)>,
}

impl Ear {
    fn feed(&mut self, thread: bool) -> &mut Feed {
        if thread { &mut self.comments } else { &mut self.home }
    }
}

impl<'a> Judge<'a> {
    fn new(history: &'a History) -> Self {
        let numbers = history.posts.iter().enumerate().map(|(n, post)| (post.id, n)).collect();
        let mut judge = Self { history, numbers, places: vec![None; history.posts.len()], found: Vec::new() };
        for (number, post) in history.posts.iter().enumerate() {
            if let Outcome::Acknowledged { seq } = post.outcome {
                judge.places[number] = Some(seq);
            }
        }
        // A post without an answer was done if anybody heard it; then everybody must have.
        for seen in
            history.readers.iter().flat_map(|reader| &reader.lives).flat_map(|life| &life.heard).flat_map(Heard::posts)
        {
            if let Some(&number) = judge.numbers.get(&seen.id) {
                judge.places[number].get_or_insert(seen.seq);
            }
        }
        judge
    }

    fn report(&mut self, anomaly: Anomaly, reader: Option<usize>, post: Uuid, seq: Option<u64>) {
        self.found.push(Violation { anomaly, reader, post, seq });
    }

    /// No place of the journal belongs to two posts (P1).
    fn places(&mut self) {
        let mut taken = HashSet::new();
        for (number, place) in self.places.clone().into_iter().enumerate() {
            if place.is_some_and(|seq| !taken.insert(seq)) {
                self.report(Anomaly::TwoPlaces, None, self.history.posts[number].id, place);
            }
        }
    }

    /// Requests of one session are carried out in the order sent.
    fn turns(&mut self) {
        let mut last: HashMap<usize, u64> = HashMap::new();
        for post in &self.history.posts {
            if let Outcome::Acknowledged { seq } = post.outcome {
                let latest = last.entry(post.author).or_default();
                if seq < *latest {
                    self.report(Anomaly::OutOfTurn, None, post.id, Some(seq));
                }
                *latest = seq.max(*latest);
            }
        }
    }

    fn reader(&mut self, number: usize, reader: &Reader) {
        let mut ear = Ear {
            number,
            person: reader.person,
            thread: reader.thread,
            before: reader.before,
            pushed: 0,
            home: Feed::default(),
            comments: Feed::default(),
            had: HashSet::new(),
        };
        for life in &reader.lives {
            self.life(&mut ear, life);
        }
        for (number, post) in self.history.posts.iter().enumerate() {
            let Some(seq) = self.places[number] else {
                continue;
            };
            let feed = ear.feed(post.thread.is_some());
            let excused = feed.excused.iter().any(|(after, until)| (after + 1..*until).contains(&seq));
            if self.may_hear(&ear, post) && !ear.had.contains(&number) && !excused {
                self.report(Anomaly::Lost, Some(ear.number), post.id, Some(seq));
            }
        }
    }

    fn life(&mut self, ear: &mut Ear, life: &Life) {
        // The entry at the cursor may come again: the client cannot know whether it had all of it.
        let repeatable = life.resumed_at;
        let had_before = if repeatable.is_some() { ear.had.clone() } else { HashSet::new() };
        ear.pushed = life.resumed_at.map_or(0, |seq| seq.saturating_sub(1));
        (ear.home.floor, ear.comments.floor) = (0, 0);
        for heard in &life.heard {
            match heard {
                Heard::Other { seq } => {
                    if *seq < ear.pushed {
                        self.report(Anomaly::Reordered, Some(ear.number), Uuid::nil(), Some(*seq));
                    }
                    ear.pushed = ear.pushed.max(*seq);
                }
                Heard::Snapshot { thread, seq, posts, complete } => self.snapshot(ear, *thread, *seq, posts, *complete),
                Heard::Post(seen) => {
                    let repeat = repeatable == Some(seen.seq)
                        && self.numbers.get(&seen.id).is_some_and(|number| had_before.contains(number));
                    self.event(ear, *seen, repeat);
                }
            }
        }
    }

    fn event(&mut self, ear: &mut Ear, seen: SeenPost, repeat_allowed: bool) {
        let in_order = seen.seq > ear.pushed;
        ear.pushed = ear.pushed.max(seen.seq);
        let Some(number) = self.known(ear, seen) else {
            return;
        };
        let in_order = in_order && seen.seq > ear.feed(self.history.posts[number].thread.is_some()).floor;
        if ear.had.contains(&number) && (!repeat_allowed || !in_order) {
            self.report(Anomaly::Doubled, Some(ear.number), seen.id, Some(seen.seq));
        } else if !in_order {
            self.report(Anomaly::Reordered, Some(ear.number), seen.id, Some(seen.seq));
        }
        ear.had.insert(number);
    }

    fn snapshot(&mut self, ear: &mut Ear, thread: bool, seq: u64, posts: &[SeenPost], complete: bool) {
        for seen in posts {
            if seen.seq > seq {
                self.report(Anomaly::Reordered, Some(ear.number), seen.id, Some(seen.seq));
            }
            if let Some(number) = self.known(ear, *seen) {
                ear.had.insert(number);
            }
        }
        let pushed = ear.pushed;
        let feed = ear.feed(thread);
        if !complete {
            let oldest = posts.iter().map(|seen| seen.seq).min().unwrap_or(seq + 1);
            feed.excused.push((pushed.max(feed.floor), oldest));
        }
        feed.floor = feed.floor.max(seq);
    }

    /// The number of a post that was rightly sent to this reader; everything else about it is reported.
    fn known(&mut self, ear: &Ear, seen: SeenPost) -> Option<usize> {
        let reader = Some(ear.number);
        let number = self.numbers.get(&seen.id).copied();
        let Some((number, post)) = number.map(|number| (number, &self.history.posts[number])) else {
            if seen.seq > ear.before {
                self.report(Anomaly::Phantom, reader, seen.id, Some(seen.seq));
            }
            return None;
        };
        if post.outcome == Outcome::Refused {
            self.report(Anomaly::Phantom, reader, seen.id, Some(seen.seq));
        }
        if !self.may_hear(ear, post) {
            self.report(Anomaly::Misdelivered, reader, seen.id, Some(seen.seq));
        }
        if post.text != seen.text {
            self.report(Anomaly::Altered, reader, seen.id, Some(seen.seq));
        }
        if self.places[number].is_some_and(|place| place != seen.seq) {
            self.report(Anomaly::TwoPlaces, reader, seen.id, Some(seen.seq));
        }
        Some(number)
    }

    fn may_hear(&self, ear: &Ear, post: &Posted) -> bool {
        if post.thread.is_some() {
            return post.thread == ear.thread;
        }
        let follows = self.history.follows.get(ear.person);
        ear.person == post.author || follows.is_some_and(|follows| follows.contains(&post.author))
    }
}
