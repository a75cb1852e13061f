//! Requests to follow, followers taken off, lists and filters: decided, told, caught up with and forgotten.

use tidings_actors::command::{Act, Deed, Denied, Outcome, ProfileChange};
use tidings_actors::entry::{Change, Entry, Verb};
use tidings_actors::ports::{Circle, JournalStore, Reads, Who};
use tidings_protocol::entity::{Filter, Follow, FollowRequest, List, Removed, Visibility};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{FilterId, ListId, PostId, UserId};
use tidings_protocol::notification::NotificationKind;
use tidings_protocol::position::{Millis, Seq};
use tidings_protocol::push::EventName;
use tidings_protocol::text::{FilterPhrase, ListName};
use uuid::Uuid;

use crate::world::{World, block, body, done, duplicate, enlist, make_list, mute, post_for, refused};

/// Whether somebody approves their followers first.
async fn approves(world: &World, who: UserId, asks: bool) {
    let change = ProfileChange { asks: Some(asks), ..ProfileChange::default() };
    done(world.does(who, Act::UserUpdate { name: None, bio: None, change, if_rev: None }).await);
}

/// As the journal does it: what has to be asked for comes again as a deed.
async fn wishes(world: &World, who: UserId, act: Act) -> Outcome {
    match world.does(who, act.clone()).await {
        Outcome::Refused(Denied::AsksFirst) => world.does(who, Act::Deed(act.asked_for().unwrap())).await,
        other => other,
    }
}

fn reject(whom: UserId) -> Act {
    Act::Deed(Deed::Reject { whom })
}

fn accept(whom: UserId) -> Act {
    Act::Deed(Deed::Accept { whom })
}

async fn asking(world: &World, whom: UserId) -> Vec<UserId> {
    let page = world.store.requests_page(whom, None, 10).await.unwrap();
    page.requests.into_iter().map(|asking| asking.user.id).collect()
}

/// Those in the notification about requests, if it is shown.
async fn told_of(world: &World, whom: UserId) -> Vec<UserId> {
    let page = world.store.notifications_page(whom, None, 10).await.unwrap();
    let group = page.notifications.into_iter().find(|group| group.kind == NotificationKind::Request);
    group.into_iter().flat_map(|group| group.actors).map(|actor| actor.id).collect()
}

async fn follows(world: &World, who: UserId, whom: UserId) -> (bool, bool, bool, u64) {
    let told = world.store.user(Some(who), &Who::Id(whom)).await.unwrap().unwrap();
    (told.following, told.requested, told.requested_by, told.followers)
}

#[tokio::test]
async fn who_approves_their_followers_is_asked_and_says_yes_or_no() {
    let world = World::new().await;
    let (ann, bob, cara) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cara").await);
    approves(&world, ann, true).await;
    let follow = || Act::Follow { whom: ann };
    let asked = done(wishes(&world, bob, follow()).await);
    assert_eq!(asked.change, Change::Request { verb: Verb::Created, asker: bob, asked: ann });
    assert_eq!(body::<FollowRequest>(&asked), FollowRequest { rev: asked.seq, asker: bob, asked: ann });
    assert_eq!(duplicate(wishes(&world, bob, follow()).await).seq, asked.seq);
    assert_eq!(follows(&world, bob, ann).await, (false, true, false, 0));
    assert_eq!(follows(&world, ann, bob).await, (false, false, true, 0));
    done(wishes(&world, cara, follow()).await);
    assert_eq!((asking(&world, ann).await, told_of(&world, ann).await), (vec![cara, bob], vec![cara, bob]));
    assert!(asking(&world, bob).await.is_empty(), "it is not his to answer");

    let no = done(world.does(ann, reject(bob)).await);
    assert_eq!(no.change, Change::Request { verb: Verb::Removed, asker: bob, asked: ann });
    duplicate(world.does(ann, reject(bob)).await);
    assert_eq!(refused(world.does(ann, accept(bob)).await), Denied::NotFound, "there is no request any more");
    assert_eq!(refused(world.does(bob, accept(ann)).await), Denied::NotFound, "nobody says yes for another");
    assert_eq!(follows(&world, bob, ann).await, (false, false, false, 0));

    let before = world.head().await;
    let yes = done(world.does(ann, accept(cara)).await);
    assert_eq!(yes.change, Change::Request { verb: Verb::Removed, asker: cara, asked: ann });
    let read = world.store.read(before.next(), world.head().await).await.unwrap().entries;
    let follow_of =
        |entry: &&Entry| entry.change == Change::Follow { verb: Verb::Created, follower: cara, followee: ann };
    let begun = read.iter().find(follow_of).expect("the follow has an entry of its own");
    assert!(begun.seq < yes.seq && body::<Follow>(begun).rev == begun.seq);
    assert_eq!(follows(&world, cara, ann).await, (true, false, false, 1));
    duplicate(world.does(ann, accept(cara)).await);
    assert!(asking(&world, ann).await.is_empty() && told_of(&world, ann).await.is_empty());
    duplicate(wishes(&world, cara, follow()).await);
    assert_eq!(world.stored_seqs(), (1..=world.head().await.0).collect::<Vec<_>>(), "P1");
}

#[tokio::test]
async fn a_request_is_taken_back_by_an_unfollow_and_ended_by_a_block() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    approves(&world, ann, true).await;
    approves(&world, bob, true).await;
    done(wishes(&world, bob, Act::Follow { whom: ann }).await);
    let back = done(wishes(&world, bob, Act::Unfollow { whom: ann }).await);
    assert_eq!(back.change, Change::Request { verb: Verb::Removed, asker: bob, asked: ann });
    duplicate(wishes(&world, bob, Act::Unfollow { whom: ann }).await);
    assert!(told_of(&world, ann).await.is_empty());

    done(wishes(&world, bob, Act::Follow { whom: ann }).await);
    done(wishes(&world, ann, Act::Follow { whom: bob }).await);
    let before = world.head().await;
    done(world.does(ann, block(bob)).await);
    let read = world.store.read(before.next(), world.head().await).await.unwrap().entries;
    let ended = |asker, asked| {
        let change = Change::Request { verb: Verb::Removed, asker, asked };
        read.iter().filter(|entry| entry.change == change).count()
    };
    assert_eq!((ended(bob, ann), ended(ann, bob)), (1, 1), "both are told");
    assert!(told_of(&world, ann).await.is_empty() && told_of(&world, bob).await.is_empty());
    assert_eq!(refused(wishes(&world, bob, Act::Follow { whom: ann }).await), Denied::NotFound);
    assert_eq!(refused(wishes(&world, ann, Act::Follow { whom: bob }).await), Denied::Blocked);
    assert_eq!(world.stored_seqs(), (1..=world.head().await.0).collect::<Vec<_>>(), "P1");
}

#[tokio::test]
async fn who_approves_no_more_has_accepted_nobody_by_that_and_whoever_asks_again_follows() {
    let world = World::new().await;
    let (ann, bob, cara) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cara").await);
    approves(&world, ann, true).await;
    for who in [bob, cara] {
        done(wishes(&world, who, Act::Follow { whom: ann }).await);
    }
    approves(&world, ann, false).await;
    assert_eq!(asking(&world, ann).await, [cara, bob]);
    let at_once = done(wishes(&world, bob, Act::Follow { whom: ann }).await);
    assert_eq!(at_once.change, Change::Request { verb: Verb::Removed, asker: bob, asked: ann });
    assert_eq!(follows(&world, bob, ann).await, (true, false, false, 1));
    done(world.does(ann, accept(cara)).await);
    assert_eq!((asking(&world, ann).await, told_of(&world, ann).await), (vec![], vec![]));
    // Plain follows take the short way.
    let dan = world.sign_up("dan").await;
    assert!(matches!(done(world.does(dan, Act::Follow { whom: ann }).await).change, Change::Follow { .. }));
    assert_eq!(world.stored_seqs(), (1..=world.head().await.0).collect::<Vec<_>>(), "P1");
}

#[tokio::test]
async fn p6_open_requests_are_limited_both_ways() {
    let world = World::new().await;
    let (ann, bob, cara) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cara").await);
    approves(&world, ann, true).await;
    approves(&world, cara, true).await;
    let ask = |whom, sent, received| Act::Deed(Deed::Ask { whom, sent, received });
    done(world.does(bob, ask(ann, 1, 9)).await);
    assert_eq!(refused(world.does(bob, ask(cara, 1, 9)).await), Denied::TooMany);
    assert_eq!(refused(world.does(cara, ask(ann, 9, 1)).await), Denied::TooMany);
    done(world.does(ann, reject(bob)).await);
    done(world.does(bob, ask(cara, 1, 9)).await);
}

#[tokio::test]
async fn a_follower_is_taken_off_without_a_word_but_the_end_of_the_follow() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let remove = || Act::Deed(Deed::RemoveFollower { whom: bob });
    assert_eq!(body::<Follow>(&duplicate(world.does(ann, remove()).await)).rev, Seq(0));
    done(world.does(bob, Act::Follow { whom: ann }).await);
    let gone = done(world.does(ann, remove()).await);
    assert_eq!(gone.change, Change::Follow { verb: Verb::Removed, follower: bob, followee: ann });
    assert_eq!(body::<Follow>(&gone), Follow { rev: gone.seq, follower: bob, followee: ann });
    assert_eq!(duplicate(world.does(ann, remove()).await).seq, gone.seq);
    assert_eq!(follows(&world, bob, ann).await, (false, false, false, 0));
    let missed = world.store.missed(Some(bob), &[FeedName::Home, FeedName::Me], gone.seq, 10).await.unwrap();
    assert_eq!(missed.restart, [FeedName::Home]);
    assert_eq!(missed.entries.last().unwrap().change, gone.change, "told on his `me`");
    let read = world.store.read(gone.seq, gone.seq).await.unwrap().entries;
    assert_eq!((read[0].change, read[0].body.get()), (gone.change, gone.body.get()));
    let mine = world.store.notifications_page(ann, None, 10).await.unwrap();
    assert!(mine.notifications.is_empty(), "he does not follow her any more");
    assert_eq!(refused(world.does(ann, Act::Deed(Deed::RemoveFollower { whom: ann })).await), Denied::Oneself);
}

#[tokio::test]
async fn p4_me_catches_up_with_requests_lists_and_filters() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    approves(&world, ann, true).await;
    let since = world.head().await.next();
    let (list, filter) = (ListId(Uuid::now_v7()), FilterId(Uuid::now_v7()));
    done(world.does(bob, make_list(list, "close")).await);
    done(world.does(bob, put_filter(filter, "spoiler")).await);
    done(wishes(&world, bob, Act::Follow { whom: ann }).await);
    done(world.does(bob, enlist(list, ann, true)).await);
    let missed = |who| world.store.missed(Some(who), &[FeedName::Me], since, 100);
    let told: Vec<Change> = missed(bob).await.unwrap().entries.iter().map(|entry| entry.change).collect();
    let expected = [
        Change::Own { event: EventName::FilterUpdated, user: bob, id: filter.0 },
        Change::Request { verb: Verb::Created, asker: bob, asked: ann },
        Change::Listed { verb: Verb::Created, owner: bob, list, member: ann },
        Change::List { verb: Verb::Created, owner: bob, id: list },
    ];
    assert_eq!(without_verbs(&told), without_verbs(&expected));
    let hers: Vec<Change> = missed(ann).await.unwrap().entries.iter().map(|entry| entry.change).collect();
    assert_eq!(hers, [expected[1]], "of his lists and filters she hears nothing");
    let read = world.store.read(since, world.head().await).await.unwrap().entries;
    let own = |entry: &&Entry| !matches!(entry.change, Change::Own { event: EventName::NotificationUpdated, .. });
    let read: Vec<Change> = read.iter().filter(own).map(|entry| entry.change).collect();
    assert_eq!(without_verbs(&read), without_verbs(&expected), "as a tail reads it");
    let me = world.store.snapshot(Some(bob), FeedName::Me, 10).await.unwrap().unwrap();
    assert_eq!(me.requests.unwrap().len(), 1);
    assert_eq!((me.lists.unwrap(), me.filters.unwrap().len()), (world.store.lists(bob).await.unwrap(), 1));
    let me = world.store.snapshot(Some(ann), FeedName::Me, 10).await.unwrap().unwrap();
    assert_eq!((me.requests.unwrap().len(), me.lists.unwrap().len()), (0, 0), "requests to her come by pages");
}

/// A list is told the same way, made or changed.
fn without_verbs(changes: &[Change]) -> Vec<Change> {
    let same = |change: &Change| match *change {
        Change::List { owner, id, .. } => Change::List { verb: Verb::Updated, owner, id },
        other => other,
    };
    changes.iter().map(same).collect()
}

fn put_filter(filter: FilterId, phrase: &str) -> Act {
    let phrase = FilterPhrase::parse(phrase).unwrap();
    Act::Deed(Deed::PutFilter { filter, phrase, whole_word: false, until: None, most: 2 })
}

#[tokio::test]
async fn a_list_is_its_owners_and_knows_who_is_in_it() {
    let world = World::new().await;
    let (ann, bob, cara) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cara").await);
    let id = ListId(Uuid::now_v7());
    let made = done(world.does(ann, make_list(id, "close")).await);
    assert_eq!(made.change, Change::List { verb: Verb::Created, owner: ann, id });
    assert_eq!(body::<List>(&made), List { id, rev: made.seq, name: "close".into(), members: 0 });
    duplicate(world.does(ann, make_list(id, "close")).await);
    assert_eq!(refused(world.does(ann, make_list(id, "other")).await), Denied::IdTaken);
    assert_eq!(refused(world.does(bob, make_list(id, "close")).await), Denied::IdTaken);
    let rename =
        |name: &str, if_rev| Act::Deed(Deed::RenameList { list: id, name: ListName::parse(name).unwrap(), if_rev });
    assert_eq!(refused(world.does(ann, rename("closer", Some(Seq(1)))).await), Denied::Stale);
    let renamed = done(world.does(ann, rename("closer", Some(made.seq))).await);
    duplicate(world.does(ann, make_list(id, "close")).await);
    assert_eq!(body::<List>(&renamed).name, "closer");

    let in_it = done(world.does(ann, enlist(id, bob, true)).await);
    assert_eq!(
        (body::<List>(&in_it).members, in_it.seq.0),
        (1, renamed.seq.0 + 2),
        "who is in it comes before the list"
    );
    assert_eq!(duplicate(world.does(ann, enlist(id, bob, true)).await).seq, in_it.seq);
    let full = Act::Deed(Deed::Enlist { list: id, user: cara, there: true, most: 1 });
    assert_eq!(refused(world.does(ann, full).await), Denied::TooMany);
    assert_eq!(refused(world.does(ann, enlist(id, UserId(Uuid::now_v7()), true)).await), Denied::NotFound);
    done(world.does(cara, block(ann)).await);
    assert_eq!(refused(world.does(ann, enlist(id, cara, true)).await), Denied::NotFound);
    for act in [rename("mine", None), enlist(id, bob, false), Act::Deed(Deed::DropList { list: id })] {
        assert_eq!(refused(world.does(bob, act).await), Denied::NotFound, "it does not exist for anybody else");
    }
    let members = async |who| world.store.list_members(who, id).await.unwrap().map(|found| found.members.len());
    assert_eq!((members(ann).await, members(bob).await), (Some(1), None));
    let viewer = world.store.viewer(ann, world.log_in(ann, 1).await).await.unwrap().unwrap();
    assert_eq!(viewer.lists, [(id, vec![bob])]);

    let gone = done(world.does(ann, Act::Deed(Deed::DropList { list: id })).await);
    assert_eq!(body::<Removed>(&gone), Removed { id: id.0, rev: gone.seq });
    duplicate(world.does(ann, Act::Deed(Deed::DropList { list: id })).await);
    assert_eq!(refused(world.does(ann, make_list(id, "close")).await), Denied::NotFound);
    assert!(members(ann).await.is_none() && world.store.lists(ann).await.unwrap().is_empty());
    assert!(world.store.snapshot(Some(ann), FeedName::List(id), 9).await.unwrap().is_none());
    let left = "select count(*) from list_members union all select count(*) from lists where name is not null";
    assert_eq!(world.database.psql(left).unwrap(), "0\n0", "nothing of it is left but that it is gone");
    let most = |list| Act::Deed(Deed::MakeList { list, name: ListName::parse("x").unwrap(), most: 1 });
    done(world.does(ann, most(ListId(Uuid::now_v7()))).await);
    assert_eq!(refused(world.does(ann, most(ListId(Uuid::now_v7()))).await), Denied::TooMany);
    assert_eq!(world.stored_seqs(), (1..=world.head().await.0).collect::<Vec<_>>(), "P1");
}

#[tokio::test]
async fn p5_the_feed_of_a_list_holds_what_its_owner_may_see_page_by_page() {
    let world = World::new().await;
    let (ann, bob, cara) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cara").await);
    let (dan, id) = (world.sign_up("dan").await, ListId(Uuid::now_v7()));
    let feed = FeedName::List(id);
    done(world.does(ann, make_list(id, "close")).await);
    for who in [bob, cara, dan] {
        done(world.does(ann, enlist(id, who, true)).await);
    }
    done(world.does(ann, Act::Follow { whom: cara }).await);
    let mut expected = Vec::new();
    for (author, visibility, text, shown) in [
        (bob, Visibility::Public, "bob's", true),
        (bob, Visibility::Followers, "not for her", false),
        (bob, Visibility::Mentioned, "for @ann", true),
        (cara, Visibility::Followers, "for followers", true),
        (cara, Visibility::Private, "cara's own", false),
        (dan, Visibility::Public, "muted", false),
        (ann, Visibility::Public, "her own, who is not in it", false),
    ] {
        let post = PostId(Uuid::now_v7());
        done(world.does(author, post_for(post, text, visibility)).await);
        if shown {
            expected.insert(0, post);
        }
    }
    done(world.does(ann, mute(dan)).await);
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = world.store.posts_page(Some(ann), feed, before, 2).await.unwrap().unwrap();
        found.extend(page.posts.into_iter().map(|post| post.id));
        match page.next {
            Some(next) => before = Some(next.seq),
            None => break,
        }
    }
    assert_eq!(found, expected);
    for other in [Some(bob), None] {
        assert!(world.store.posts_page(other, feed, None, 2).await.unwrap().is_none());
        assert!(world.store.snapshot(other, feed, 2).await.unwrap().is_none());
        let missed = world.store.missed(other, &[feed], Seq(1), 100).await.unwrap();
        assert_eq!((missed.entries.len(), missed.restart), (0, vec![feed]), "where they are told that there is none");
    }
    let now = world.head().await.next();
    done(world.does(ann, enlist(id, bob, false)).await);
    let missed = world.store.missed(Some(ann), &[feed, FeedName::Home], now, 100).await.unwrap();
    assert_eq!(missed.restart, [feed], "and no other feed");
}

#[tokio::test]
async fn a_filter_is_put_replaced_and_deleted_by_its_owner_alone() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let id = FilterId(Uuid::now_v7());
    let put = done(world.does(ann, put_filter(id, "Spoiler")).await);
    let expected = Filter { id, rev: put.seq, phrase: "Spoiler".into(), whole_word: false, until: None };
    assert_eq!((body::<Filter>(&put), world.store.filters(ann).await.unwrap()), (expected.clone(), vec![expected]));
    duplicate(world.does(ann, put_filter(id, "Spoiler")).await);
    assert_eq!(refused(world.does(bob, put_filter(id, "Spoiler")).await), Denied::IdTaken);
    let phrase = FilterPhrase::parse("spoiler").unwrap();
    let until = Some(Millis(7));
    let other = Act::Deed(Deed::PutFilter { filter: id, phrase, whole_word: true, until, most: 2 });
    let changed: Filter = body(&done(world.does(ann, other).await));
    assert_eq!((changed.whole_word, changed.until), (true, until));
    let drop = || Act::Deed(Deed::DropFilter { filter: id });
    assert_eq!(refused(world.does(bob, drop()).await), Denied::NotFound);
    for text in ["two", "three"] {
        let put = world.does(ann, put_filter(FilterId(Uuid::now_v7()), text)).await;
        assert_eq!(matches!(put, Outcome::Refused(Denied::TooMany)), text == "three");
    }
    let gone = done(world.does(ann, drop()).await);
    assert_eq!(gone.change, Change::Own { event: EventName::FilterRemoved, user: ann, id: id.0 });
    duplicate(world.does(ann, drop()).await);
    assert_eq!(refused(world.does(ann, put_filter(id, "Spoiler")).await), Denied::NotFound);
    let left = world.database.psql("select count(*) from filters where phrase ilike 'spoiler'");
    assert_eq!(left.unwrap(), "0");
    assert!(world.store.filters(bob).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_has_ended_is_forgotten_and_what_stands_stays() {
    let world = World::new().await;
    let (ann, bob, cara) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cara").await);
    approves(&world, ann, true).await;
    done(wishes(&world, bob, Act::Follow { whom: ann }).await);
    done(wishes(&world, cara, Act::Follow { whom: ann }).await);
    done(world.does(ann, reject(bob)).await);
    let (kept, gone) = (ListId(Uuid::now_v7()), ListId(Uuid::now_v7()));
    for list in [kept, gone] {
        done(world.does(ann, make_list(list, "x")).await);
        done(world.does(ann, enlist(list, bob, true)).await);
    }
    done(world.does(ann, enlist(kept, cara, true)).await);
    done(world.does(ann, enlist(kept, bob, false)).await);
    done(world.does(ann, Act::Deed(Deed::DropList { list: gone })).await);
    let filter = FilterId(Uuid::now_v7());
    done(world.does(ann, put_filter(filter, "x")).await);
    done(world.does(ann, Act::Deed(Deed::DropFilter { filter })).await);
    let rows = || {
        world.database.psql(
            "select (select count(*) from follow_requests), (select count(*) from lists),
                    (select count(*) from list_members), (select count(*) from filters)",
        )
    };
    assert_eq!(rows().unwrap(), "2|2|2|1", "kept for who was away");
    for _ in 0..2 {
        world.database.psql("update journal set at_ms = at_ms - 1000000").unwrap();
        world.store.prune(1_000).await.unwrap();
        world.post(ann, "one more").await;
    }
    assert_eq!(rows().unwrap(), "1|1|1|0");
    assert_eq!(asking(&world, ann).await, [cara]);
}
