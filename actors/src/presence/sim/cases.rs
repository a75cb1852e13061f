//! What is examined in the simulated cluster.
//! Must never look into a machine: what its threads and peers are told is all there is.

use tidings_protocol::position::Millis;
use tidings_protocol::presence::Showing;
use uuid::Uuid;

use super::world::{EPOCH_MS, USERS, Weather, World, author};
use crate::limits::{PEER_SILENCE_MS, TYPING_THREADS};
use crate::presence::company::Report;
use crate::presence::ledger::Part;
use crate::presence::machine::{Effect, Machine};
use crate::presence::whisper::{Typed, Whisper};
use crate::presence::{Moment, Standing, Thread};
use crate::testing::{post, user};

#[test]
fn whatever_is_lost_repeated_late_or_killed_in_the_end_every_node_knows_the_truth() {
    for seed in 0..120 {
        let mut world = World::of(seed, 1 + usize::try_from(seed % 4).expect("small"));
        for _ in 0..world.dice.between(1, 3) {
            world.weather = Weather {
                lost_percent: world.dice.one_of(&[0, 5, 40, 100]),
                repeated_percent: world.dice.one_of(&[0, 30]),
                late_ms: world.dice.one_of(&[1, 150, 2_000]),
            };
            for _ in 0..world.dice.between(10, 300) {
                for _ in 0..world.dice.below(4) {
                    world.something_happens();
                }
                if world.dice.percent(5) {
                    world.something_is_played_again();
                }
                world.pulse();
            }
            world.grows_quiet();
            world.every_node_knows_the_truth();
        }
    }
}

/// With a bus that loses nothing, when somebody was last seen is true to a second on every node; to the time it takes to miss a node, when
/// theirs was killed.
#[test]
fn when_somebody_was_last_seen_is_the_same_everywhere() {
    for seed in 0..60 {
        let mut world = World::of(seed, 3);
        for _ in 0..world.dice.between(10, 200) {
            if let Some(at) = world.some_node() {
                world.somebody_comes_or_goes(at);
            }
            world.pulse();
        }
        let killed = world.dice.percent(50);
        if killed {
            // What it had to say has been heard.
            (0..3).for_each(|_| world.pulse());
            world.nodes[0] = None;
        }
        world.grows_quiet();
        world.every_node_knows_the_truth();
        for (who, here) in &world.last_here {
            if world.truth(*who).is_some() {
                continue;
            }
            for node in world.nodes.iter().flatten() {
                let Some(Standing::Gone(Millis(seen))) = node.told.get(who) else {
                    panic!("{who} was here and is not known to be gone");
                };
                let slack = if killed { 1_500 } else { 1_000 };
                assert!((EPOCH_MS + here).abs_diff(*seen) <= slack, "{who}: {here}, {}", seen - EPOCH_MS);
            }
        }
    }
}

/// A node that joins hears everything with the next walk, which it asks for.
#[test]
fn who_joins_late_knows_everybody_within_seconds() {
    let mut world = World::of(1, 2);
    for number in 0..u32::try_from(USERS).expect("small") {
        let (place, shows) = ((0, number), (user(u64::from(number)), Showing::Online));
        world.node(0).connections.insert(place, shows);
        world.ever_shown.insert(shows.0);
        let visits = [(number, Some(shows))].into_iter().collect();
        world.report(0, 0, Report { visits, ..Report::default() });
    }
    // The last walk began two seconds ago, and without being asked the next would come in three.
    (0..120).for_each(|_| world.pulse());
    let late = world.fresh();
    world.nodes.push(Some(late));
    (0..20).for_each(|_| world.pulse());
    world.every_node_knows_the_truth();
}

/// A killed node's people are offline elsewhere within the time it takes to miss it; those who came back elsewhere stay.
#[test]
fn p10_the_people_of_a_killed_node_are_missed_within_six_seconds_and_not_before_they_can_come_back() {
    let mut world = World::of(2, 2);
    let show = |world: &mut World, at: usize, n: u64| {
        let shows = (user(n), Showing::Online);
        world.ever_shown.insert(shows.0);
        world.node(at).connections.insert((0, u32::try_from(n).expect("small")), shows);
        let visits = [(u32::try_from(n).expect("small"), Some(shows))].into_iter().collect();
        world.report(at, 0, Report { visits, ..Report::default() });
    };
    (1..=2).for_each(|n| show(&mut world, 0, n));
    (0..20).for_each(|_| world.pulse());
    assert_eq!(world.node(1).told.get(&user(1)), Some(&Standing::Online));
    world.nodes[0] = None;
    (0..30).for_each(|_| world.pulse());
    assert_eq!(world.node(1).told.get(&user(1)), Some(&Standing::Online), "three seconds: they may be on their way");
    show(&mut world, 1, 2);
    (0..30).for_each(|_| world.pulse());
    assert!(matches!(world.node(1).told.get(&user(1)), Some(Standing::Gone(_))));
    assert_eq!(world.node(1).told.get(&user(2)), Some(&Standing::Online));
}

#[test]
fn who_types_on_one_node_is_told_to_those_who_read_on_another() {
    let mut world = World::of(3, 2);
    let thread = Thread { post: post(0), parent: None };
    let readers = [(post(0), 1)].into_iter().collect();
    world.report(1, 0, Report { readers, ..Report::default() });
    world.pulse();
    let typed = [((user(7), thread), author(7))].into_iter().collect();
    world.report(0, 0, Report { typed, ..Report::default() });
    (0..3).for_each(|_| world.pulse());
    assert_eq!(world.node(1).typing.get(&thread).map(|(_, who)| who.clone()), Some(vec![user(7)]));
}

#[test]
fn p6_who_types_elsewhere_is_told_before_the_readers_are_counted_but_a_flood_leaves_room_for_what_is_read_here() {
    let at = Moment { now: 0, wall: Millis(EPOCH_MS) };
    let mut machine = Machine::new(Uuid::from_u128(1));
    let mut whispers = 0;
    let mut hears = |machine: &mut Machine, posts: std::ops::Range<u64>| {
        whispers += 1;
        let typed = posts.map(|on| Typed { thread: Thread { post: post(on), parent: None }, who: author(7) }).collect();
        let (people, readers) = Default::default();
        let node = Uuid::from_u128(2);
        machine.heard(at, &Whisper { node, number: whispers, asks: false, people, readers, typed });
    };
    let told = |machine: &mut Machine| {
        let effects = machine.pulse(at);
        effects.iter().filter(|effect| matches!(effect, Effect::Typing(..))).count()
    };
    hears(&mut machine, 0..TYPING_THREADS as u64);
    assert_eq!(told(&mut machine), TYPING_THREADS / 2, "nobody here is known to read any of them");
    let read = TYPING_THREADS as u64;
    let readers = [(post(read), 1)].into_iter().collect();
    machine.report(at, 1, Report { readers, ..Report::default() });
    hears(&mut machine, read..read + 2);
    assert_eq!(told(&mut machine), 1);
}

#[test]
fn p6_there_are_only_so_many_peers() {
    let at = Moment { now: 0, wall: Millis(EPOCH_MS) };
    let mut machine = Machine::new(Uuid::from_u128(1));
    let (people, readers) = Default::default();
    let mut whisper = Whisper { node: Uuid::nil(), number: 1, asks: false, people, readers, typed: Vec::new() };
    for name in 2..2 * crate::limits::PEERS as u128 {
        whisper.node = Uuid::from_u128(name);
        machine.heard(at, &whisper);
    }
    assert_eq!(machine.peers(), crate::limits::PEERS);
    let later = Moment { now: PEER_SILENCE_MS, wall: Millis(EPOCH_MS + PEER_SILENCE_MS) };
    machine.pulse(Moment { now: PEER_SILENCE_MS - 1, ..at });
    machine.pulse(later);
    assert_eq!(machine.peers(), 0, "all of them were silent");
    whisper.node = Uuid::from_u128(2);
    machine.heard(later, &whisper);
    assert_eq!(machine.peers(), 0, "what one of them said before is not believed again");
    whisper.number = 2;
    machine.heard(later, &whisper);
    assert_eq!(machine.peers(), 1, "what it says now is");
    let asks = |effects: Vec<Effect>| {
        effects.iter().any(|effect| matches!(effect, Effect::Whisper(Whisper { asks: true, .. })))
    };
    assert!(asks(machine.pulse(later)), "whoever was thought gone is asked for everything");
    assert!(!asks(machine.pulse(Moment { now: later.now + 2_000, ..later })), "once");
}

#[test]
fn what_comes_late_or_twice_is_not_believed() {
    let at = Moment { now: 0, wall: Millis(EPOCH_MS) };
    let mut machine = Machine::new(Uuid::from_u128(1));
    let says = |number: u64, standing: Standing| {
        let (mut people, readers): (Part<_, _>, _) = Default::default();
        people.changed = vec![(user(1), Some(standing))];
        Whisper { node: Uuid::from_u128(2), number, asks: false, people, readers, typed: Vec::new() }
    };
    machine.heard(at, &says(1, Standing::Idle));
    machine.heard(at, &says(3, Standing::Gone(at.wall)));
    for late in [says(2, Standing::Online), says(3, Standing::Online), says(1, Standing::Online)] {
        machine.heard(at, &late);
        assert_eq!(machine.standing(&user(1)), Some(Standing::Gone(at.wall)));
    }
    machine.heard(at, &says(4, Standing::Online));
    assert_eq!(machine.standing(&user(1)), Some(Standing::Online));
}
