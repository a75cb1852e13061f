//! The talk without sockets or clock: the room is filled by what the bots do, as a server would.

use std::collections::HashSet;

use tidings_protocol::entity::Post;
use tidings_protocol::position::Seq;
use tidings_protocol::push::Event;

use super::*;
use crate::demo::room::tests::{comment, post};

const VISITOR: u128 = 4_711;

fn ids() -> Vec<UserId> {
    (0..cast::MEMBERS.len()).map(|number| UserId(Uuid::from_u128(number as u128 + 1))).collect()
}

/// A server's part of the play.
struct Play {
    talk: Talk,
    room: Room,
    now: Duration,
    seq: u64,
    deeds: Vec<(Duration, Deed)>,
}

impl Play {
    fn new(seed: u64) -> Self {
        let talk = Talk::new(Phrases::read().unwrap(), ids(), seed);
        Self { talk, room: Room::default(), now: Duration::ZERO, seq: 100, deeds: Vec::new() }
    }

    fn hears(&mut self, event: Event) {
        if let Some(news) = self.room.hears(event) {
            self.talk.hears(news, &self.room, self.now);
        }
    }

    fn goes_on(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while self.talk.wakes_at() <= end {
            self.now = self.talk.wakes_at();
            if let Some(deed) = self.talk.next(&self.room, self.now) {
                self.deeds.push((self.now, deed.clone()));
                self.perform(deed);
            }
        }
        self.now = end;
    }

    fn perform(&mut self, deed: Deed) {
        self.seq += 1;
        let author = deed.who as u128 + 1;
        match deed.method {
            Method::PostCreate(create) => {
                let post = Post {
                    id: create.id,
                    ..post(self.seq, author, create.text.as_ref().map_or("", |text| text.as_str()))
                };
                self.hears(Event::PostCreated(post));
            }
            Method::CommentCreate(create) => {
                let thread = self.room.thread(create.post).expect("a thread that is there");
                let parent = thread.comments.iter().find(|other| Some(other.id) == create.parent);
                let depth = parent.map_or(0, |parent| parent.depth + 1);
                assert!(depth <= COMMENT_DEPTH);
                let made = Comment {
                    id: create.id,
                    post: create.post,
                    parent: create.parent,
                    depth,
                    text: Some(create.text.as_str().to_owned()),
                    ..comment(self.seq, 0, author)
                };
                self.hears(Event::CommentCreated(made));
            }
            Method::PostDelete(gone) => {
                let removed = tidings_protocol::entity::Removed { id: gone.id.0, rev: Seq(self.seq) };
                self.hears(Event::PostRemoved(removed));
            }
            _ => {}
        }
    }

    fn count(&self, method: &str) -> usize {
        self.deeds.iter().filter(|(_, deed)| deed.method.name() == method).count()
    }
}

#[test]
fn an_hour_of_talk_is_varied_slow_and_never_by_the_seat() {
    let mut play = Play::new(1);
    play.goes_on(3_600);
    assert!((360..1_300).contains(&play.deeds.len()), "{}", play.deeds.len());
    assert!(play.deeds.iter().all(|(_, deed)| deed.who != SEAT));
    let speakers: HashSet<usize> = play.deeds.iter().map(|(_, deed)| deed.who).collect();
    assert_eq!(speakers.len(), cast::MEMBERS.len() - 1);
    let gaps = play.deeds.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(gaps.min().unwrap() >= LEAST_GAP);
    for (method, least) in
        [("post.create", 80), ("comment.create", 150), ("post.update", 5), ("comment.update", 10), ("post.delete", 2)]
    {
        assert!(play.count(method) >= least, "{method}: {}", play.count(method));
    }
    assert!(play.talk.planned.len() <= PLANNED && play.talk.said.len() <= SAID);
}

#[test]
fn the_same_seed_says_the_same() {
    let told = |seed| -> Vec<(Duration, usize, String)> {
        let mut play = Play::new(seed);
        play.goes_on(600);
        let words = |method: &Method| match method {
            Method::PostCreate(post) => post.text.as_ref().map_or_else(String::new, |text| text.as_str().to_owned()),
            Method::CommentCreate(comment) => comment.text.as_str().to_owned(),
            other => other.name().to_owned(),
        };
        play.deeds.iter().map(|(at, deed)| (*at, deed.who, words(&deed.method))).collect()
    };
    assert_eq!(told(5), told(5));
    assert_ne!(told(5), told(6));
}

#[test]
fn a_visitor_is_answered_and_followed_within_seconds() {
    let mut play = Play::new(2);
    play.goes_on(60);
    play.hears(Event::PostCreated(post(5_000, VISITOR, "Hello, I am new here")));
    play.seq = 5_000;
    let before = play.deeds.len();
    play.goes_on(15);
    let new = &play.deeds[before..];
    let answers = new.iter().filter(|(_, deed)| match &deed.method {
        Method::CommentCreate(comment) => comment.post.0 == Uuid::from_u128(5_000),
        _ => false,
    });
    assert!(answers.count() >= 1);
    let follows = new
        .iter()
        .filter(|(_, deed)| matches!(&deed.method, Method::UserFollow(whom) if whom.id.0 == Uuid::from_u128(VISITOR)));
    assert_eq!(follows.count(), 3);
    // A second post is answered, and nobody follows again.
    play.hears(Event::PostCreated(post(6_000, VISITOR, "Does anybody have a map?")));
    play.seq = 6_000;
    play.goes_on(15);
    assert_eq!(play.count("user.follow"), 3);
}

#[test]
fn who_was_addressed_answers_a_visitors_comment_also_in_the_seat() {
    for visitor in [VISITOR, SEAT as u128 + 1] {
        let mut play = Play::new(3);
        let (teo, olek) = (2, 7);
        play.hears(Event::PostCreated(post(10, teo, "Bread!")));
        play.hears(Event::CommentCreated(comment(11, 10, olek)));
        play.hears(Event::CommentCreated(Comment {
            parent: Some(CommentId(Uuid::from_u128(11))),
            depth: 1,
            ..comment(12, 10, visitor)
        }));
        play.hears(Event::CommentCreated(comment(13, 10, visitor)));
        play.goes_on(8);
        let answered = |number: u128| {
            play.deeds.iter().find_map(|(_, deed)| match &deed.method {
                Method::CommentCreate(answer) if answer.parent == Some(CommentId(Uuid::from_u128(number))) => {
                    Some(deed.who as u128 + 1)
                }
                _ => None,
            })
        };
        assert_eq!((answered(12), answered(13)), (Some(olek), Some(teo)));
    }
}

#[test]
fn a_flood_is_not_answered_by_a_flood() {
    let mut play = Play::new(4);
    for number in 0..5_000 {
        play.hears(Event::PostCreated(post(10_000 + number, VISITOR + u128::from(number % 3_000), "hello hello")));
    }
    assert!(play.talk.planned.len() <= PLANNED && play.talk.met.len() <= MET);
    play.seq = 20_000;
    play.goes_on(60);
    assert!(play.deeds.len() < 90, "{}", play.deeds.len());
}
