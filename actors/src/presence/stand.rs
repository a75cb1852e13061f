//! A worker thread's part in who is here: its connections leave word of themselves here, and what the crier brings is told to them, by a plain
//! loop, a few times a second. Must never queue anything for a reader that does not keep up (P7): what matters is told later as it is
//! then, the rest not at all; and must never tell anything while the node cannot be sure of log-ins and follows (P5).

use std::cell::{Ref, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustc_hash::{FxHashMap, FxHashSet};
use slab::Slab;
use tidings_protocol::close::CloseCode;
use tidings_protocol::entity::Author;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::limits::TYPISTS_TOLD;
use tidings_protocol::presence::{Presence, Showing};
use tidings_protocol::push::Notice;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval};

use super::board::{Board, Scene};
use super::company::{Company, Tray};
use super::{Standing, Thread, dropped};
use crate::bulkhead::{self, Part};
use crate::feed::audience::Reader;
use crate::feed::table::{FeedTable, Line};
use crate::frame;
use crate::limits::{PRESENCE_PART, PRESENCE_PULSE_MS, READERS_COUNT_MS, READERS_OWED};
use crate::link::Link;
use crate::worker::Worker;

/// A worker's stand.
pub struct Stand {
    company: Arc<Company>,
    tray: Arc<Tray>,
    inner: RefCell<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Connections of users, and what each shows.
    visits: Slab<(UserId, Showing)>,
    board: Board,
    /// The connections behind the watches of the board.
    watchers: FxHashMap<usize, Rc<Link>>,
    /// How many connections of this thread watch each post, as the crier was last told.
    counted: FxHashMap<PostId, usize>,
    counted_at: u64,
    /// How many watch it in all, as connections here were last told.
    numbers: FxHashMap<PostId, u64>,
    /// Posts whose number is news.
    news: FxHashMap<PostId, u64>,
    /// Connections that have not been told a post's number, because they came after it or did not keep up; by the place of their link in
    /// memory, which another may have after it: that one is then told once more.
    owed: FxHashMap<PostId, FxHashSet<usize>>,
}

impl Stand {
    pub(crate) fn new(company: &Arc<Company>) -> Self {
        Self { tray: company.tray(), company: Arc::clone(company), inner: RefCell::default() }
    }

    /// A connection of a user begins; its place.
    pub(super) fn arrives(&self, user: UserId, showing: Showing) -> usize {
        let visit = self.inner.borrow_mut().visits.insert((user, showing));
        self.tray.shows(place(visit), Some((user, showing)));
        visit
    }

    /// It shows something else.
    pub(super) fn shows(&self, visit: usize, user: UserId, showing: Showing) {
        if let Some(shown) = self.inner.borrow_mut().visits.get_mut(visit) {
            *shown = (user, showing);
        }
        self.tray.shows(place(visit), Some((user, showing)));
    }

    /// It ends, and with it its watch. Called by destructors, so it must not panic whatever is going on.
    pub(super) fn goes(&self, visit: usize, watch: Option<usize>, link: &Rc<Link>) {
        self.tray.shows(place(visit), None);
        if let Ok(mut inner) = self.inner.try_borrow_mut() {
            inner.visits.try_remove(visit);
            inner.ends(watch, link);
        }
    }

    /// A connection watches these people from now on instead of those it watched; how those stand whom its user follows.
    pub(super) fn watches(
        &self,
        worker: &Worker,
        link: &Rc<Link>,
        viewer: UserId,
        ids: Vec<UserId>,
        before: Option<usize>,
    ) -> (Option<usize>, Vec<Presence>) {
        let inner = &mut *self.inner.borrow_mut();
        inner.ends(before, link);
        if ids.is_empty() {
            return (None, Vec::new());
        }
        let around = Around { table: worker.table(), company: &self.company, watchers: &inner.watchers };
        let (watch, told) = inner.board.begin(worker.node.now(), viewer, ids, &around);
        drop(around);
        inner.watchers.insert(watch, Rc::clone(link));
        (Some(watch), told)
    }

    /// Somebody types.
    pub(super) fn types(&self, thread: Thread, who: Author) {
        self.tray.types(thread, who);
    }

    /// A connection watches a post from now on.
    pub(crate) fn reads(&self, post: PostId, link: &Rc<Link>) {
        let inner = &mut *self.inner.borrow_mut();
        inner.counted.entry(post).or_insert(0);
        if inner.numbers.contains_key(&post) {
            inner.owes(post, link);
        }
    }

    /// Reports; gives what there is to tell.
    fn pulse(&self, worker: &Worker) -> Vec<Parcel> {
        let mut parcels = Vec::new();
        let news = self.tray.news();
        let inner = &mut *self.inner.borrow_mut();
        if news.again {
            self.reports_again(inner);
        }
        news.people.into_iter().for_each(|user| inner.board.changed(user));
        let counted = &inner.counted;
        inner.news.extend(news.readers.into_iter().filter(|(post, _)| counted.contains_key(post)));
        let now = worker.node.now();
        if now >= inner.counted_at + READERS_COUNT_MS {
            inner.counted_at = now;
            self.counts(inner, &worker.table());
        }
        // Whoever follows whom, and whoever is still logged in, may have changed without this node's knowing.
        if !worker.node.sight.is_sure(now) {
            return parcels;
        }
        inner.tell_people(worker, &self.company, now, &mut parcels);
        inner.tell_numbers(worker, &mut parcels);
        for (thread, typists) in news.typing {
            tell_typing(worker, thread, &typists, &mut parcels);
        }
        parcels
    }

    fn deliver(&self, Parcel { link, frame, about }: Parcel) {
        match about {
            About::Number(post) if !link.is_idle() => self.inner.borrow_mut().owes(post, &link),
            About::Typing if !link.is_idle() => dropped("typing_slow", 1),
            About::People | About::Number(_) | About::Typing => {
                link.keep(frame);
                link.flush();
            }
        }
    }

    /// The crier has begun anew.
    fn reports_again(&self, inner: &mut Inner) {
        self.tray.begins_afresh();
        for (visit, shown) in &inner.visits {
            self.tray.shows(place(visit), Some(*shown));
        }
        inner.counted.values_mut().for_each(|number| *number = 0);
    }

    fn counts(&self, inner: &mut Inner, table: &FeedTable<Rc<Link>>) {
        let Inner { counted, numbers, owed, news, .. } = inner;
        counted.retain(|post, was| {
            let is = table.readers_count(*post);
            if is != *was {
                *was = is;
                self.tray.counts(*post, u32::try_from(is).unwrap_or(u32::MAX));
            }
            if is == 0 {
                numbers.remove(post);
                owed.remove(post);
                news.remove(post);
            }
            is > 0
        });
    }

    /// Nothing of it can be trusted any more. Those who watched somebody are ended, and come back and watch again; the rest is counted anew.
    fn begins_afresh(&self, worker: &Worker) {
        let Ok(mut inner) = self.inner.try_borrow_mut() else {
            return;
        };
        let visits = std::mem::take(&mut inner.visits);
        let posts: Vec<PostId> = inner.counted.keys().copied().collect();
        let before = std::mem::replace(&mut *inner, Inner { visits, ..Inner::default() });
        inner.counted = posts.into_iter().map(|post| (post, 0)).collect();
        drop(inner);
        for link in before.watchers.into_values() {
            link.give_up((worker.node.framing.close)(CloseCode::Internal));
        }
    }

    /// Connections of users here, and watches among them.
    pub fn kept(&self) -> (usize, usize) {
        let inner = self.inner.borrow();
        (inner.visits.len(), inner.board.len().max(inner.watchers.len()))
    }
}

/// A place in the slab, as it goes over the tray: a thread never has four thousand million connections.
fn place(visit: usize) -> u32 {
    u32::try_from(visit).unwrap_or(u32::MAX)
}

impl Inner {
    /// The watch of a connection ends, if it is still its own.
    fn ends(&mut self, watch: Option<usize>, link: &Rc<Link>) {
        if let Some(watch) = watch
            && self.watchers.get(&watch).is_some_and(|own| Rc::ptr_eq(own, link))
        {
            self.board.end(watch);
            self.watchers.remove(&watch);
        }
    }

    fn owes(&mut self, post: PostId, link: &Rc<Link>) {
        let owed = self.owed.entry(post).or_default();
        if owed.len() < READERS_OWED || owed.contains(&address(link)) {
            owed.insert(address(link));
        } else {
            dropped("readers_owed", 1);
        }
    }

    fn tell_people(&mut self, worker: &Worker, company: &Company, now: u64, parcels: &mut Vec<Parcel>) {
        let around = Around { table: worker.table(), company, watchers: &self.watchers };
        let messages = self.board.due(now, &around);
        drop(around);
        for (watch, users) in messages {
            if let Some(link) = self.watchers.get(&watch) {
                let frame = frame::message(worker.node.framing, &Notice::Presence { users });
                parcels.push(Parcel { link: Rc::clone(link), frame, about: About::People });
            }
        }
    }

    fn tell_numbers(&mut self, worker: &Worker, parcels: &mut Vec<Parcel>) {
        let table = worker.table();
        for (post, number) in std::mem::take(&mut self.news) {
            self.numbers.insert(post, number);
            self.owed.remove(&post);
            self.tell_number(worker, &table, post, parcels, |_| true);
        }
        for (post, owed) in std::mem::take(&mut self.owed) {
            self.tell_number(worker, &table, post, parcels, |link| owed.contains(&address(link)));
        }
    }

    /// To those who are wanted; whoever cannot be told now is owed it.
    fn tell_number(
        &mut self,
        worker: &Worker,
        table: &FeedTable<Rc<Link>>,
        post: PostId,
        parcels: &mut Vec<Parcel>,
        is_wanted: impl Fn(&Rc<Link>) -> bool,
    ) {
        let Some(&count) = self.numbers.get(&post) else {
            return;
        };
        let frame = frame::message(worker.node.framing, &Notice::Readers { post, count });
        for reader in table.readers_of(post).filter(|reader| is_wanted(reader.line)) {
            if reader.may_be_told && reader.line.is_idle() {
                let about = About::Number(post);
                parcels.push(Parcel { link: Rc::clone(reader.line), frame: frame.clone(), about });
            } else {
                self.owes(post, reader.line);
            }
        }
    }
}

/// One message on its way.
struct Parcel {
    link: Rc<Link>,
    frame: Bytes,
    about: About,
}

/// What it is about, which decides what becomes of it if its reader does not keep up after all.
enum About {
    /// It is queued: there is one at most, and it is taken to have been told.
    People,
    /// The reader is owed it.
    Number(PostId),
    /// It is dropped.
    Typing,
}

/// The world as a board sees it.
struct Around<'a> {
    table: Ref<'a, FeedTable<Rc<Link>>>,
    company: &'a Company,
    watchers: &'a FxHashMap<usize, Rc<Link>>,
}

impl Scene for Around<'_> {
    fn follows(&self, viewer: UserId) -> &[UserId] {
        self.table.follows_of(viewer)
    }

    fn standing(&self, who: UserId) -> Option<Standing> {
        self.company.standing(&who)
    }

    fn is_ready(&self, watch: usize, viewer: UserId) -> bool {
        self.watchers
            .get(&watch)
            .is_some_and(|link| link.is_idle() && self.table.may_be_told(viewer, |line| Rc::ptr_eq(line, link)))
    }
}

fn address(link: &Rc<Link>) -> usize {
    Rc::as_ptr(link).addr()
}

/// What those who watch a post are told of who types in one of its threads. Most hear the same, and share one frame; whoever types, or hides
/// one of those who do, gets their own.
fn tell_typing(worker: &Worker, thread: Thread, typists: &[Author], parcels: &mut Vec<Parcel>) {
    let table = worker.table();
    let framed = |users: Vec<Author>| {
        let Thread { post, parent } = thread;
        frame::message(worker.node.framing, &Notice::Typing { post, parent, users })
    };
    let shared = framed(typists.iter().take(TYPISTS_TOLD).cloned().collect());
    for reader in table.readers_of(thread.post) {
        let heard = heard_by(&reader, typists);
        let frame = match heard.len() {
            0 => continue,
            all if all == typists.len() => shared.clone(),
            _ => framed(heard.into_iter().take(TYPISTS_TOLD).cloned().collect()),
        };
        if reader.may_be_told && reader.line.is_idle() {
            parcels.push(Parcel { link: Rc::clone(reader.line), frame, about: About::Typing });
        } else {
            dropped("typing_slow", 1);
        }
    }
}

fn heard_by<'a>(reader: &Reader<'_, Rc<Link>>, typists: &'a [Author]) -> Vec<&'a Author> {
    typists.iter().filter(|typist| reader.hears_of(typist.id)).collect()
}

/// Opens a worker's stand, for as long as the worker is in use.
pub(crate) fn open(worker: &Rc<Worker>) {
    let worker = Rc::downgrade(worker);
    actix::spawn(async move {
        let mut tick = interval(Duration::from_millis(PRESENCE_PULSE_MS));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while let Some(parcels) = pulse(&worker) {
            deliver(&worker, parcels).await;
            tick.tick().await;
        }
    });
}

/// None once the worker is not used any more.
fn pulse(worker: &Weak<Worker>) -> Option<Vec<Parcel>> {
    let worker = worker.upgrade().filter(|worker| !worker.is_torn())?;
    let parcels = bulkhead::step(Part::Presence, || worker.stand().pulse(&worker));
    if parcels.is_none() && !worker.is_torn() {
        worker.stand().begins_afresh(&worker);
    }
    Some(parcels.unwrap_or_default())
}

/// Part by part: whatever else is to be done on this thread has a turn in between.
async fn deliver(worker: &Weak<Worker>, parcels: Vec<Parcel>) {
    let mut parcels = parcels.into_iter();
    while parcels.len() > 0 {
        let Some(worker) = worker.upgrade().filter(|worker| !worker.is_torn()) else {
            return;
        };
        parcels.by_ref().take(PRESENCE_PART).for_each(|parcel| worker.stand().deliver(parcel));
        yield_now().await;
    }
}
