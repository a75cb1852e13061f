//! The people of the simulated world: what they do with their clients. A client is a good one: it keeps to PROTOCOL.md, comes back with
//! its cursor on any node, and sends again, under the same id, what was not answered.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, UserId};
use uuid::Uuid;

use super::client::Client;
use super::line::Pipe;
use super::model::session_id;
use super::ports::token;
use super::world::{Event, USERS, World};
use crate::testing::{post, user};

/// A change somebody wants, until it is answered for good.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) method: &'static str,
    pub(super) params: String,
    /// What the entry will be about.
    pub(super) thing: Uuid,
    /// Whether it has to be granted, once, whatever happens.
    pub(super) creates: bool,
}

/// What a client waits for.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    Hello,
    Subscribe,
    Unsubscribe(FeedName),
    Write(Wish),
}

/// A person with one client.
pub(super) struct Person {
    /// None: somebody who only looks.
    pub(super) user: Option<u64>,
    pub(super) log_in: u64,
    pub(super) client: Client,
    pub(super) wants: Vec<FeedName>,
    pub(super) line: Option<Rc<Pipe>>,
    /// The node at its other end.
    pub(super) node: usize,
    pub(super) live: bool,
    pub(super) asked: BTreeMap<u64, Asked>,
    pub(super) wishes: VecDeque<Wish>,
    /// Does not look at what comes before then.
    pub(super) stalled_until: u64,
    /// Has always looked, on this line, as soon as something came.
    pub(super) attentive: bool,
    pub(super) looking: bool,
    pub(super) heard_at: u64,
    /// When the node wrote the first of what is being heard.
    pub(super) written_at: u64,
    pub(super) heartbeat_ms: u64,
    pub(super) tries: u32,
    /// With which number the node has closed the line.
    pub(super) closed: Option<u16>,
    /// Up to where, and against which head, what it holds has been compared.
    pub(super) compared: (u64, u64),
    requests: u64,
}

/// Bytes a connection holds on its way to a client who looks.
const ROOM: usize = 200_000;

impl Person {
    pub(super) fn user_id(&self) -> Option<UserId> {
        self.user.map(user)
    }

    /// Does not look for a while; the line takes so many bytes more.
    pub(super) fn stalls(&mut self, until: u64, room: usize) {
        self.stalled_until = until;
        self.attentive = false;
        if let Some(line) = &self.line {
            line.room.set(room);
        }
    }
}

impl World {
    pub(super) fn people_come(&mut self) {
        for at in 0..self.dice.between(4, 9) {
            let user = (at > 0).then(|| self.dice.below(USERS));
            let person = Person {
                user,
                log_in: 0,
                client: Client::default(),
                wants: Vec::new(),
                line: None,
                node: 0,
                live: false,
                asked: BTreeMap::new(),
                wishes: VecDeque::new(),
                stalled_until: 0,
                attentive: true,
                looking: false,
                heard_at: 0,
                written_at: 0,
                heartbeat_ms: 25_000,
                tries: 0,
                closed: None,
                compared: (0, 0),
                requests: 0,
            };
            self.people.push(person);
            let at = self.people.len() - 1;
            self.logs_in(at);
            self.people[at].wants = self.some_feeds(user.is_some());
            let wait = self.dice.below(300);
            self.later(wait, Event::Connects(at));
            self.later(wait + 50, Event::Acts(at));
        }
    }

    fn logs_in(&mut self, at: usize) {
        let number = self.number();
        let person = &mut self.people[at];
        person.log_in = number;
        if let Some(user) = person.user_id() {
            self.database.log_in(user, session_id(number));
        }
    }

    fn some_feeds(&mut self, logged_in: bool) -> Vec<FeedName> {
        let mut feeds = vec![FeedName::Global, FeedName::User(user(self.dice.below(USERS)))];
        feeds.extend(self.some_post().map(FeedName::Post));
        feeds.push(FeedName::Tag(self.some_tag().parse().expect("a tag")));
        if logged_in {
            feeds.extend([FeedName::Home, FeedName::Me]);
        }
        feeds.retain(|_| self.dice.percent(70));
        feeds
    }

    fn some_tag(&mut self) -> String {
        format!("tag{}", self.dice.below(3))
    }

    /// What is said in a post, and to whom.
    fn some_words(&mut self, id: Uuid) -> String {
        let mut text = "text".to_owned();
        while self.dice.percent(25) {
            text += &format!(" #{} @user{}", self.some_tag(), self.dice.below(USERS));
        }
        let mut params = format!("\"id\":\"{id}\",\"text\":\"{text}\"");
        if self.dice.percent(40) {
            let visibility = self.dice.one_of(&["public", "followers", "followers", "mentioned", "private"]);
            params += &format!(",\"visibility\":\"{visibility}\"");
        }
        params
    }

    fn some_post(&mut self) -> Option<tidings_protocol::ids::PostId> {
        let posts = &self.database.list.present.posts;
        let newest = posts.len().min(40);
        let at = self.dice.index(newest.max(1));
        posts.keys().rev().nth(at).copied()
    }

    pub(super) fn connects(&mut self, at: usize) {
        if self.people[at].line.is_some() {
            return;
        }
        let node = self.dice.index(self.places.len());
        let (number, stirred) = (self.number(), Rc::clone(&self.stirred));
        let pipe = Pipe::new(number, ROOM, stirred);
        let running = self.places[node].running.as_ref().filter(|running| running.is_up());
        let accepted =
            running.is_some_and(|running| running.accepts(self.dice.index(running.workers.len()), Rc::clone(&pipe)));
        if !accepted {
            return self.comes_back_later(at);
        }
        let limit = self.dice.one_of(&[2, 20, 100]);
        let person = &mut self.people[at];
        let mut feeds: Vec<FeedName> = person.client.feeds.keys().copied().collect();
        if person.client.cursor.is_none() {
            feeds.clone_from(&person.wants);
        }
        let feeds: Vec<String> = feeds.iter().map(|feed| format!("\"{feed}\"")).collect();
        let mut params = format!("\"feeds\":[{}],\"limit\":{limit}", feeds.join(","));
        if let Some(user) = person.user {
            params += &format!(",\"token\":\"{}\"", token(user, person.log_in));
        }
        if let Some(cursor) = person.client.cursor {
            params += &format!(",\"cursor\":\"{cursor}\"");
        }
        person.client.connects();
        person.line = Some(pipe);
        (person.node, person.looking) = (node, false);
        (person.live, person.closed, person.attentive, person.stalled_until) = (false, None, true, 0);
        person.heard_at = self.now;
        self.asks(at, "hello", &params, Asked::Hello);
    }

    pub(super) fn comes_back_later(&mut self, at: usize) {
        let tries = self.people[at].tries;
        self.people[at].tries = tries + 1;
        let wait = self.dice.below(20_000.min(500 << tries.min(6)) + 1);
        self.later(wait, Event::Connects(at));
    }

    fn asks(&mut self, at: usize, method: &str, params: &str, asked: Asked) {
        let person = &mut self.people[at];
        let Some(line) = &person.line else { return };
        person.requests += 1;
        let id = person.requests;
        line.send(format!("{{\"id\":{id},\"method\":\"{method}\",\"params\":{{{params}}}}}"));
        person.asked.insert(id, asked);
    }

    /// The line is lost, or given up. What was not answered is asked again later.
    pub(super) fn loses_the_line(&mut self, at: usize) {
        let person = &mut self.people[at];
        person.line = None;
        person.live = false;
        let asked = std::mem::take(&mut person.asked).into_values();
        let mut wishes: VecDeque<Wish> = asked
            .filter_map(|asked| match asked {
                Asked::Write(wish) => Some(wish),
                Asked::Hello | Asked::Subscribe | Asked::Unsubscribe(_) => None,
            })
            .collect();
        wishes.append(&mut person.wishes);
        person.wishes = wishes;
        if matches!(person.closed, Some(4_400..=4_499)) {
            self.logs_in(at);
        }
        self.comes_back_later(at);
    }

    pub(super) fn acts(&mut self, at: usize) {
        let pause = if self.faults { self.dice.between(10, 250) } else { 200 };
        self.later(pause, Event::Acts(at));
        let person = &mut self.people[at];
        if person.line.is_some()
            && self.now > person.heard_at.max(person.stalled_until) + 2 * person.heartbeat_ms + 5_000
        {
            // Nothing at all for so long: PROTOCOL.md says to come back.
            self.hangs_up(at);
            return;
        }
        if !self.people[at].live {
            return;
        }
        if let Some(wish) = self.people[at].wishes.pop_front() {
            return self.asks(at, wish.method, &wish.params.clone(), Asked::Write(wish));
        }
        if self.faults {
            self.does_something(at);
        }
    }

    fn does_something(&mut self, at: usize) {
        match self.dice.below(100) {
            0..55 => self.writes(at),
            55..62 => (0..self.dice.between(2, 12)).for_each(|_| self.writes(at)),
            62..72 => {
                let feeds = self.some_feeds(self.people[at].user.is_some());
                if let Some(feed) = feeds.first() {
                    self.asks(at, "feed.subscribe", &format!("\"feed\":\"{feed}\",\"limit\":10"), Asked::Subscribe);
                }
            }
            72..77 => {
                let feed = self.people[at].client.feeds.keys().nth(self.dice.index(3)).copied();
                if let Some(feed) = feed {
                    self.asks(at, "feed.unsubscribe", &format!("\"feed\":\"{feed}\""), Asked::Unsubscribe(feed));
                }
            }
            77..82 => {
                let until = self.now + self.dice.one_of(&[200, 2_000, 15_000, 90_000]);
                let room = self.dice.one_of(&[0, 300, 20_000, ROOM]);
                self.people[at].stalls(until, room);
            }
            82..86 => self.hangs_up(at),
            // Without a word: the node does not know.
            86 => self.loses_the_line(at),
            87 => self.logs_out(at),
            _ => {}
        }
    }

    pub(super) fn hangs_up(&mut self, at: usize) {
        if let Some(line) = self.people[at].line.take() {
            line.close();
            self.loses_the_line(at);
        }
    }

    fn writes(&mut self, at: usize) {
        let Some(me) = self.people[at].user else { return };
        let whom = user(self.dice.below(USERS));
        let number = self.number();
        let state = &self.database.list.present;
        let mine: Vec<_> = state.posts.iter().filter(|(_, row)| row.author == user(me) && !row.removed).collect();
        let said: Vec<_> = state.comments.iter().filter(|(_, row)| row.author == user(me) && !row.removed).collect();
        let my_post = (!mine.is_empty()).then(|| mine[self.dice.index(mine.len())].0.0);
        let my_comment = (!said.is_empty()).then(|| *said[self.dice.index(said.len())].0);
        let on = self.some_post();
        let wish = |method, thing: Uuid, params: String| Wish { method, params, thing, creates: false };
        let words = my_post.map(|id| self.some_words(id)).unwrap_or_default();
        let by_id = |id: Uuid| format!("\"id\":\"{id}\"");
        let with_text = |id: Uuid| format!("\"id\":\"{id}\",\"text\":\"text\"");
        let wish = match (self.dice.below(24), my_post, my_comment, on) {
            (0, ..) => wish("user.update", user(me).0, "\"name\":\"name\"".to_owned()),
            (1 | 2, ..) if whom != user(me) => wish("user.follow", whom.0, by_id(whom.0)),
            (3, ..) if whom != user(me) => wish("user.unfollow", whom.0, by_id(whom.0)),
            (4 | 5, Some(id), ..) => wish("post.update", id, words),
            (6, Some(id), ..) => wish("post.delete", id, by_id(id)),
            (7, _, Some(id), _) => wish("comment.update", id.0, with_text(id.0)),
            (8, _, Some(id), _) => wish("comment.delete", id.0, by_id(id.0)),
            (9..14, _, _, Some(on)) => {
                let id = CommentId(Uuid::from_u64_pair(3, number)).0;
                let parents = &self.database.list.present.comments;
                let parents: Vec<_> = parents.iter().filter(|(_, row)| row.post == Some(on)).collect();
                let mut params = format!("{},\"post\":\"{on}\"", with_text(id));
                if !parents.is_empty() && self.dice.percent(50) {
                    params += &format!(",\"parent\":\"{}\"", parents[self.dice.index(parents.len())].0);
                }
                Wish { method: "comment.create", params, thing: id, creates: true }
            }
            (14, ..) if whom != user(me) => wish("user.block", whom.0, by_id(whom.0)),
            (15 | 16, ..) if whom != user(me) => wish("user.unblock", whom.0, by_id(whom.0)),
            (17, ..) if whom != user(me) => wish("user.mute", whom.0, by_id(whom.0)),
            (18, ..) if whom != user(me) => wish("user.unmute", whom.0, by_id(whom.0)),
            _ => {
                let id = post(number).0;
                Wish { method: "post.create", params: self.some_words(id), thing: id, creates: true }
            }
        };
        self.asks(at, wish.method, &wish.params.clone(), Asked::Write(wish));
    }
}
