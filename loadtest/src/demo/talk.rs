//! Who says what, and when: a machine that hears the room and gives out one deed at a time. Knows no socket and no clock.
//! Must never speak for the visitor's seat, and never faster than its own rhythm, however much it hears.

use std::collections::VecDeque;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{RngExt, SeedableRng};
use tidings_protocol::entity::{Author, Comment};
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::limits::COMMENT_DEPTH;
use tidings_protocol::request::{CommentCreate, CommentUpdate, Method, PostCreate, PostRef, PostUpdate, UserRef};
use tidings_protocol::text::{CommentText, PostText};
use uuid::Uuid;

use super::cast::{self, SEAT};
use super::phrases::{Occasion, Phrases};
use super::room::{News, Room, Thread};
use super::typo;

/// Between two deeds that nobody asked for, in milliseconds.
const BEAT_MS: std::ops::Range<u64> = 3_000..10_000;
/// No deed follows another faster.
const LEAST_GAP: Duration = Duration::from_millis(700);
/// What is planned at the same time; a visitor who writes more than the bots can answer is not answered each time.
const PLANNED: usize = 16;
/// Visitors who have been welcomed.
const MET: usize = 1_000;
/// Sentences that are not said again so soon.
const SAID: usize = 60;
/// Posts that begin with the same so many letters are taken for the same.
const ALIKE: usize = 12;
/// Threads in which one speaks unasked.
const LIVELY: usize = 12;
/// Comments under which bots leave a thread alone.
const ENOUGH: usize = 14;
/// How deep bots answer each other; visitors are answered as deep as the protocol allows.
const DEEP: u8 = 4;

/// What somebody does.
#[derive(Clone, Debug)]
pub struct Deed {
    /// Which member.
    pub who: usize,
    /// What.
    pub method: Method,
}

/// Something to do later.
enum Plan {
    AnswerPost { who: usize, post: PostId, occasion: Occasion },
    AnswerComment { who: usize, post: PostId, comment: CommentId, occasion: Occasion },
    Do(Deed),
}

/// The talk.
pub struct Talk {
    phrases: Phrases,
    rng: StdRng,
    /// The members' ids, as the server gave them.
    ids: Vec<UserId>,
    /// With the time each is due.
    planned: Vec<(Duration, Plan)>,
    next_beat: Duration,
    /// Not before.
    free_at: Duration,
    met: VecDeque<UserId>,
    said: VecDeque<String>,
}

impl Talk {
    /// A talk that begins now, at time zero.
    #[must_use]
    pub fn new(phrases: Phrases, ids: Vec<UserId>, seed: u64) -> Self {
        Self {
            phrases,
            rng: StdRng::seed_from_u64(seed),
            ids,
            planned: Vec::new(),
            next_beat: Duration::from_millis(BEAT_MS.start),
            free_at: Duration::ZERO,
            met: VecDeque::new(),
            said: VecDeque::new(),
        }
    }

    /// Notes what visitors write, to be answered soon.
    pub fn hears(&mut self, news: News, room: &Room, now: Duration) {
        match news {
            News::Post(id) => {
                let Some(author) = room.thread(id).map(|thread| thread.post.author.id) else { return };
                if self.is_visitor(author) {
                    self.greet(id, author, now);
                }
            }
            News::Comment(post, id) => self.hears_comment(post, id, room, now),
        }
    }

    /// When there is something to do next.
    #[must_use]
    pub fn wakes_at(&self) -> Duration {
        let planned = self.planned.iter().map(|(due, _)| *due).min();
        planned.map_or(self.next_beat, |due| due.min(self.next_beat)).max(self.free_at)
    }

    /// What is to be done now, if anything.
    pub fn next(&mut self, room: &Room, now: Duration) -> Option<Deed> {
        if now < self.wakes_at() {
            return None;
        }
        let first = (0..self.planned.len()).min_by_key(|index| self.planned[*index].0);
        let deed = match first {
            Some(index) if self.planned[index].0 <= now => {
                let (_, plan) = self.planned.remove(index);
                self.carry_out(plan, room, now)
            }
            Some(_) | None => {
                self.next_beat = now + Duration::from_millis(self.rng.random_range(BEAT_MS));
                self.improvise(room, now)
            }
        };
        if deed.is_some() {
            self.free_at = now + LEAST_GAP;
        }
        deed
    }

    /// Everybody who is not one of the bots; the seat is the visitor's.
    fn is_visitor(&self, id: UserId) -> bool {
        self.bot(id).is_none_or(|who| who == SEAT)
    }

    fn bot(&self, id: UserId) -> Option<usize> {
        cast::number_in(&self.ids, id)
    }

    /// One bot answers soon, sometimes a second one a bit later; whoever is new here is welcomed and followed.
    fn greet(&mut self, post: PostId, author: UserId, now: Duration) {
        let new = !self.ids.contains(&author) && !self.met.contains(&author);
        let bots: Vec<usize> = self.some_bots(3);
        let occasion = if new { Occasion::Welcome } else { Occasion::Stranger };
        self.plan(now, 2_000..4_000, Plan::AnswerPost { who: bots[0], post, occasion });
        if self.rng.random_ratio(3, 5) {
            self.plan(now, 6_000..10_000, Plan::AnswerPost { who: bots[1], post, occasion: Occasion::Stranger });
        }
        if new {
            self.met.push_back(author);
            if self.met.len() > MET {
                self.met.pop_front();
            }
            for who in bots {
                let deed = Deed { who, method: Method::UserFollow(UserRef { id: author }) };
                self.plan(now, 3_000..9_000, Plan::Do(deed));
            }
        }
    }

    fn hears_comment(&mut self, post: PostId, id: CommentId, room: &Room, now: Duration) {
        let Some((thread, comment)) = find(room, post, id) else { return };
        let Some(author) = &comment.author else { return };
        if !self.is_visitor(author.id) {
            return;
        }
        // Whoever was addressed answers: the author of the comment above, or of the post.
        let above = comment.parent.and_then(|parent| thread.comments.iter().find(|other| other.id == parent));
        let addressed = above.and_then(|above| above.author.as_ref()).unwrap_or(&thread.post.author).id;
        let who = self.bot(addressed).filter(|who| *who != SEAT).unwrap_or_else(|| self.some_bots(1)[0]);
        self.plan(now, 3_000..6_000, Plan::AnswerComment { who, post, comment: id, occasion: Occasion::Answer });
    }

    fn plan(&mut self, now: Duration, within_ms: std::ops::Range<u64>, plan: Plan) {
        if self.planned.len() < PLANNED {
            let due = now + Duration::from_millis(self.rng.random_range(within_ms));
            self.planned.push((due, plan));
        }
    }

    fn carry_out(&mut self, plan: Plan, room: &Room, now: Duration) -> Option<Deed> {
        match plan {
            Plan::AnswerPost { who, post, occasion } => self.answer_post(who, room.thread(post)?, occasion, now),
            Plan::AnswerComment { who, post, comment, occasion } => {
                let (_, comment) = find(room, post, comment)?;
                self.answer_comment(who, comment, occasion, now)
            }
            Plan::Do(deed) => Some(deed),
        }
    }

    /// What people do by themselves: a quarter posts, the rest comments and answers.
    fn improvise(&mut self, room: &Room, now: Duration) -> Option<Deed> {
        let talked = match self.rng.random_range(0..100) {
            0..25 => None,
            25..70 => self.comments(room, now),
            _ => self.answers(room, now),
        };
        talked.or_else(|| self.posts(now))
    }

    fn posts(&mut self, now: Duration) -> Option<Deed> {
        let id = PostId(Uuid::now_v7());
        if self.rng.random_ratio(1, 20) {
            let text = PostText::parse(self.phrases.slip(&mut self.rng)?).ok()?;
            let who = self.some_bots(1)[0];
            let regret = Deed { who, method: Method::PostDelete(PostRef { id }) };
            self.plan(now, 6_000..12_000, Plan::Do(regret));
            return Some(Deed { who, method: Method::PostCreate(PostCreate::public(id, text)) });
        }
        let mut fresh = None;
        for _ in 0..8 {
            let (text, likely) = self.phrases.post(&mut self.rng)?;
            let who = likely.iter().copied().filter(|who| *who != SEAT).choose(&mut self.rng)?;
            let repeats = self.said.iter().any(|said| begin_alike(said, &text));
            fresh = Some((text, who));
            if !repeats {
                break;
            }
        }
        let (text, who) = fresh?;
        self.remember(&text);
        let typed = self.typed(&text);
        if typed != text {
            let method = Method::PostUpdate(PostUpdate::words(id, PostText::parse(text).ok()?, None));
            self.plan(now, 5_000..10_000, Plan::Do(Deed { who, method }));
        }
        Some(Deed { who, method: Method::PostCreate(PostCreate::public(id, PostText::parse(typed).ok()?)) })
    }

    /// Somebody says something under a recent post of somebody else.
    fn comments(&mut self, room: &Room, now: Duration) -> Option<Deed> {
        let lively = room.threads().rev().take(LIVELY).filter(|thread| thread.comments.len() < ENOUGH);
        let thread = lively.choose(&mut self.rng)?;
        let author = self.bot(thread.post.author.id);
        let silent = |who: &usize| !thread.comments.iter().any(|comment| by(comment) == self.ids.get(*who).copied());
        let who = bots().filter(|who| Some(*who) != author).filter(silent).choose(&mut self.rng)?;
        self.answer_post(who, thread, Occasion::Post, now)
    }

    /// Somebody answers a recent comment that nobody has answered.
    fn answers(&mut self, room: &Room, now: Duration) -> Option<Deed> {
        let lively = room.threads().rev().take(LIVELY).filter(|thread| thread.comments.len() < ENOUGH);
        let open = lively.flat_map(|thread| {
            let answered = |comment: &Comment| thread.comments.iter().any(|other| other.parent == Some(comment.id));
            thread
                .comments
                .iter()
                .filter(move |comment| comment.depth < DEEP && !answered(comment))
                .map(move |comment| (thread, comment))
        });
        let (thread, comment) = open.choose(&mut self.rng)?;
        let (said_by, host) = (by(comment), thread.post.author.id);
        let host_speaks = said_by != Some(host) && self.rng.random_ratio(3, 4);
        if let Some(who) = self.bot(host).filter(|who| *who != SEAT && host_speaks) {
            return self.answer_comment(who, comment, Occasion::Thanks, now);
        }
        let others = bots().filter(|who| self.ids.get(*who).copied() != said_by && self.ids.get(*who) != Some(&host));
        let who = others.choose(&mut self.rng)?;
        self.answer_comment(who, comment, Occasion::Agree, now)
    }

    fn answer_post(&mut self, who: usize, thread: &Thread, occasion: Occasion, now: Duration) -> Option<Deed> {
        let text = self.words(occasion, &thread.post.text, &thread.post.author)?;
        // Nobody says what has just been said here; rather nothing.
        let said = thread.comments.iter().any(|comment| comment.text.as_deref() == Some(text.as_str()));
        if said { None } else { self.comment(who, thread.post.id, None, text, now) }
    }

    fn answer_comment(&mut self, who: usize, comment: &Comment, occasion: Occasion, now: Duration) -> Option<Deed> {
        let (author, text) = (comment.author.as_ref()?, comment.text.as_deref()?);
        let text = self.words(occasion, text, author)?;
        // At the bottom of a thread one answers beside, not below.
        let parent = if comment.depth < COMMENT_DEPTH { Some(comment.id) } else { comment.parent };
        self.comment(who, comment.post, parent, text, now)
    }

    fn comment(
        &mut self,
        who: usize,
        post: PostId,
        parent: Option<CommentId>,
        text: String,
        now: Duration,
    ) -> Option<Deed> {
        let id = CommentId(Uuid::now_v7());
        let typed = self.typed(&text);
        if typed != text {
            let text = CommentText::parse(text).ok()?;
            let method = Method::CommentUpdate(CommentUpdate { id, text, if_rev: None });
            self.plan(now, 5_000..10_000, Plan::Do(Deed { who, method }));
        }
        let text = CommentText::parse(typed).ok()?;
        Some(Deed { who, method: Method::CommentCreate(CommentCreate { id, post, parent, text }) })
    }

    /// Something that has not just been said.
    fn words(&mut self, occasion: Occasion, text: &str, to: &Author) -> Option<String> {
        let you = to.name.split_whitespace().next().unwrap_or(&to.handle);
        // The same words to somebody else are the same words.
        let bare = |words: &str| words.replace(you, "");
        let mut words = self.phrases.answer(occasion, text, you, &mut self.rng)?;
        for _ in 0..8 {
            if !self.said.contains(&bare(&words)) {
                break;
            }
            words = self.phrases.answer(occasion, text, you, &mut self.rng)?;
        }
        self.remember(&bare(&words));
        Some(words)
    }

    fn remember(&mut self, text: &str) {
        self.said.push_back(text.to_owned());
        if self.said.len() > SAID {
            self.said.pop_front();
        }
    }

    /// The text as it was typed: now and then with a slip of the finger, which is put right later.
    fn typed(&mut self, text: &str) -> String {
        if self.planned.len() < PLANNED && self.rng.random_ratio(1, 8) {
            return typo::slip_of_the_finger(text, &mut self.rng);
        }
        text.to_owned()
    }

    fn some_bots(&mut self, count: usize) -> Vec<usize> {
        let all: Vec<usize> = bots().collect();
        all.sample(&mut self.rng, count).copied().collect()
    }
}

/// Whether two posts are likely to be of one kind.
fn begin_alike(one: &str, other: &str) -> bool {
    one.chars().take(ALIKE).eq(other.chars().take(ALIKE))
}

/// Everybody but the seat.
fn bots() -> impl Iterator<Item = usize> {
    (0..cast::MEMBERS.len()).filter(|who| *who != SEAT)
}

fn by(comment: &Comment) -> Option<UserId> {
    comment.author.as_ref().map(|author| author.id)
}

fn find(room: &Room, post: PostId, comment: CommentId) -> Option<(&Thread, &Comment)> {
    let thread = room.thread(post)?;
    Some((thread, thread.comments.iter().find(|other| other.id == comment)?))
}

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "a test looks for the deeds it is about")]
#[path = "talk_tests.rs"]
mod tests;
