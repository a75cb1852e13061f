//! Feeds that are told by ids, by number or not at all, case by case; those told in full beside them go out as ever.

use std::rc::Rc;

use tidings_protocol::delivery::DeliveryMode::{self, Count, Full, Ids, Off};
use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName::{self, Global, Home, Me};
use tidings_protocol::limits::NEWS_COUNTED;
use tidings_protocol::position::Seq;
use tidings_protocol::push::Notice;

use super::cases::World;
use super::reader::FakeLine;
use super::script::tag;
use crate::entry::{Change, Verb};
use crate::feed::aside::Owes;
use crate::feed::table::SlotId;
use crate::testing::{post, user};

fn by(verb: Verb, n: u64, author: u64) -> Change {
    Change::Post { verb, id: post(n), author: user(author) }
}

impl World {
    fn watches(&mut self, who: u64, feed: FeedName, mode: DeliveryMode) -> (SlotId, Rc<FakeLine>) {
        let (slot, line) = self.joins(who, 1, usize::MAX, &[]);
        self.table.watch(&slot, feed, mode);
        (slot, line)
    }

    /// The numbers that are told now, to readers who take them or not.
    fn news(&mut self, takes: bool) -> (Vec<(FeedName, u32, u64)>, Owes) {
        let mut told = Vec::new();
        let owes = self.table.tell_news(|_, notice| {
            if let (Notice::News { feed, count, since }, true) = (notice, takes) {
                told.push((*feed, *count, since.seq.0));
            }
            takes
        });
        (told, owes)
    }
}

fn wire(line: &FakeLine) -> String {
    String::from_utf8(line.read()).expect("text")
}

#[test]
fn p5_by_ids_come_the_same_events_without_a_word_of_what_they_say() {
    let mut world = World::new();
    let (_slot, ids) = world.watches(2, Global, Ids);
    let (_slot, whole) = world.watches(3, Global, Full);
    world.happens([by(Verb::Created, 1, 1), by(Verb::Updated, 1, 1), by(Verb::Removed, 1, 1)]);
    let (ids, whole) = (wire(&ids), wire(&whole));
    let events: Vec<_> = ids.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(events.len(), 3, "{ids}");
    for (line, event) in events.iter().zip(["post.created", "post.updated", "post.removed"]) {
        let message: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!((&message["event"], &message["data"]["event"]), (&"feed.changed".into(), &event.into()));
        assert_eq!(message["data"]["rev"], message["seq"]);
        assert_eq!(message["data"].as_object().expect("an object").len(), 3, "id, rev and event only");
    }
    assert_eq!(whole.lines().filter(|line| line.contains("\"event\":\"post.")).count(), 3);
}

/// Who may see it no longer hears that it is gone; who hides its author hears nothing.
#[test]
fn p5_by_ids_and_by_number_nobody_hears_of_what_they_may_not_see() {
    let mut world = World::new();
    world.happens([Change::Mute { verb: Verb::Created, muter: user(3), muted: user(1) }]);
    let (_slot, ids) = world.watches(2, FeedName::User(user(1)), Ids);
    let (_slot, muted) = world.watches(3, Global, Ids);
    let (_slot, _line) = world.joins(3, 2, usize::MAX, &[]);
    world.table.watch(&_slot, Global, Count);
    world.writes(Verb::Created, 1, Visibility::Public, &[1], &[]);
    world.writes(Verb::Updated, 1, Visibility::Private, &[1], &[]);
    world.writes(Verb::Created, 2, Visibility::Private, &[1], &[]);
    let heard = wire(&ids);
    assert!(
        heard.contains("post.created") && heard.contains("post.removed") && !heard.contains("post.updated"),
        "{heard}"
    );
    assert_eq!(heard.lines().filter(|line| !line.is_empty()).count(), 2, "{heard}");
    assert_eq!(wire(&muted), "");
    assert_eq!(world.news(true), (vec![], Owes::Nothing));
}

#[test]
fn what_is_new_is_counted_until_it_is_gone_and_told_when_it_has_changed() {
    let mut world = World::new();
    let (slot, line) = world.watches(2, Global, Count);
    let since = world.list.head();
    world.happens([by(Verb::Created, 1, 1), by(Verb::Created, 2, 2), by(Verb::Created, 3, 3)]);
    assert_eq!(world.news(false), (vec![], Owes::Somebody), "nobody is told who does not keep up");
    assert_eq!(world.news(true), (vec![(Global, 2, since)], Owes::Nothing), "what one writes oneself is not new");
    world.happens([by(Verb::Updated, 1, 1)]);
    assert_eq!(world.news(true), (vec![], Owes::Nothing), "an edit is nothing new");
    world.happens([by(Verb::Removed, 3, 3)]);
    assert_eq!(world.news(true), (vec![(Global, 1, since)], Owes::Nothing));
    world.table.watch(&slot, Global, Count);
    let looked = world.list.head();
    world.happens([by(Verb::Created, 4, 1), by(Verb::Updated, 1, 1)]);
    assert_eq!(world.news(true), (vec![(Global, 1, looked)], Owes::Nothing), "counted from where one has looked");
    world.happens((10..10 + 2 * NEWS_COUNTED as u64).map(|n| by(Verb::Created, n, 1)));
    let most = u32::try_from(NEWS_COUNTED).expect("small");
    assert_eq!(world.news(true), (vec![(Global, most, looked)], Owes::Nothing), "and no further than so many (P6)");
    assert_eq!(wire(&line), "", "no events");
}

#[test]
fn a_change_of_whom_one_sees_begins_the_count_anew_and_one_who_comes_back_is_told_what_was_missed() {
    let mut world = World::new();
    let (_slot, line) = world.watches(2, Home, Count);
    world.happens([by(Verb::Created, 1, 1)]);
    assert_eq!(world.news(true), (vec![], Owes::Nothing), "whom one does not follow is not at home");
    world.happens([Change::Follow { verb: Verb::Created, follower: user(2), followee: user(1) }]);
    let followed = world.list.head();
    assert!(line.told.borrow().is_empty(), "nothing has to be told afresh");
    assert_eq!(world.news(true), (vec![(Home, 0, followed)], Owes::Nothing));
    world.happens([by(Verb::Created, 2, 1), by(Verb::Created, 3, 3)]);
    assert_eq!(world.news(true), (vec![(Home, 1, followed)], Owes::Nothing));
    let (again, _line) = world.joins(2, 2, usize::MAX, &[]);
    world.table.watch(&again, Home, Count);
    world.table.count_since(&again, Home, Seq(followed));
    assert_eq!(world.news(true), (vec![(Home, 1, followed)], Owes::Nothing), "missed while away");
}

#[test]
fn off_is_silent_and_modes_change_without_leaving_anything_behind() {
    let mut world = World::new();
    let (slot, line) = world.watches(2, FeedName::Tag(tag(1)), Off);
    world.writes(Verb::Created, 1, Visibility::Public, &[1], &[]);
    assert_eq!((wire(&line).as_str(), world.table.has_news()), ("", false));
    for mode in [Full, Ids, Count, Off, Ids, Full, Count, Full] {
        world.table.watch(&slot, FeedName::Tag(tag(1)), mode);
        assert_eq!(world.table.mode(&slot, FeedName::Tag(tag(1))), Some(mode));
        assert_eq!(world.table.watched(&slot), 1, "one subscription, in whatever mode");
        let before = line.pushes.get();
        world.writes(Verb::Updated, 1, Visibility::Public, &[1], &[]);
        assert_eq!(line.pushes.get() - before, usize::from(mode.is_told()), "{mode:?}");
    }
    world.table.watch(&slot, Me, Off);
    world.table.watch(&slot, FeedName::Post(post(1)), Ids);
    world.writes(Verb::Updated, 1, Visibility::Private, &[1], &[]);
    assert!(wire(&line).contains("post.removed"));
    world.table.leave(slot);
    assert!(world.table.is_bare());
}

/// A reader by ids that is behind catches up by ids.
#[test]
fn p3_by_ids_is_caught_up_by_ids() {
    let mut world = World::new();
    let (slot, line) = world.watches(2, Global, Ids);
    let from = world.list.head() + 1;
    world.table.fall_back(&slot, Vec::new(), Seq(from));
    world.happens([by(Verb::Created, 1, 1), by(Verb::Created, 2, 1)]);
    assert_eq!(wire(&line), "");
    let _caught_up = world.table.catch_up(&slot);
    let heard = wire(&line);
    assert_eq!(heard.matches("feed.changed").count(), 2, "{heard}");
}
