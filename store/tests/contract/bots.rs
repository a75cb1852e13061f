//! Tokens, bots and the firehose, as far as the store decides and tells them.

use tidings_actors::command::{Act, Deed, Denied};
use tidings_actors::entry::{Change, Entry, Verb};
use tidings_actors::ports::{Claims, JournalStore, NewApiToken, NotMade, Reads, TokenRows};
use tidings_protocol::bots::{Scope, Scopes};
use tidings_protocol::entity::{User, Visibility};
use tidings_protocol::feed::FeedName::{self, Firehose};
use tidings_protocol::ids::{CommentId, PostId, SessionId, UserId};
use tidings_protocol::position::{Millis, Seq};
use tidings_protocol::text::{DisplayName, Handle};
use uuid::Uuid;

use crate::world::{World, body, comment, done, duplicate, edit_comment, edit_for, post_for, refused, rename};

fn bot(id: UserId, handle: &str) -> Act {
    Act::Deed(Deed::MakeBot {
        bot: id,
        handle: Handle::parse(handle).unwrap(),
        name: DisplayName::parse("A bot").unwrap(),
        most: 2,
    })
}

fn stop(bot: UserId) -> Act {
    Act::Deed(Deed::StopBot { bot })
}

fn new_id() -> UserId {
    UserId(Uuid::now_v7())
}

fn claims(user: UserId, session: SessionId) -> Claims {
    Claims { user, session, expires_at: None, scopes: None }
}

impl World {
    async fn token(&self, by: Claims, bearer: UserId, expires_at: Option<Millis>) -> Result<SessionId, NotMade> {
        let session = SessionId(Uuid::new_v4());
        let scopes: Scopes = [Scope::Read].into_iter().collect();
        let new = NewApiToken { by, bearer, session, name: "a program".to_owned(), scopes, expires_at };
        self.store.keep_token(new).await.unwrap().map(|_| session)
    }
}

#[tokio::test]
async fn p2_a_bot_is_made_once_belongs_to_one_and_is_stopped_for_good() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (one, two, three) = (new_id(), new_id(), new_id());
    let made = done(world.does(ann, bot(one, "bot_one")).await);
    assert_eq!(made.change, Change::User { verb: Verb::Updated, id: one });
    assert_eq!(body::<User>(&made).extra.bot.unwrap().owner, ann);
    assert_eq!(duplicate(world.does(ann, bot(one, "bot_one")).await).seq, made.seq);
    assert_eq!(refused(world.does(ann, bot(one, "bot_other")).await), Denied::IdTaken);
    assert_eq!(refused(world.does(bob, bot(one, "bot_one")).await), Denied::IdTaken);
    assert_eq!(refused(world.does(ann, bot(bob, "bot_two")).await), Denied::IdTaken);
    assert_eq!(refused(world.does(ann, bot(two, "bob")).await), Denied::HandleTaken);
    assert_eq!(refused(world.does(one, bot(two, "bot_two")).await), Denied::Forbidden);
    done(world.does(ann, bot(two, "bot_two")).await);
    assert_eq!(refused(world.does(ann, bot(three, "bot_three")).await), Denied::TooMany);
    // It is a user like any other.
    done(world.does(one, rename("Number one")).await);
    assert_eq!(refused(world.does(bob, stop(one)).await), Denied::NotFound);
    assert_eq!(refused(world.does(ann, stop(bob)).await), Denied::NotFound);
    // Also by one who is suspended, who makes no more.
    world.database.psql("update users set standing = 1 where handle = 'ann'").unwrap();
    let stopped = done(world.does(ann, stop(one)).await);
    assert!(body::<User>(&stopped).extra.bot.unwrap().stopped);
    assert_eq!(duplicate(world.does(ann, stop(one)).await).seq, stopped.seq);
    assert_eq!(refused(world.does(ann, bot(three, "bot_three")).await), Denied::Suspended);
    let left: Vec<UserId> = world.store.bots_of(ann).await.unwrap().into_iter().map(|bot| bot.id).collect();
    assert_eq!(left, [two]);
}

#[tokio::test]
async fn p5_tokens_are_log_ins_that_end_like_log_ins() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let by = claims(ann, world.log_in(ann, 1).await);
    let his = claims(bob, world.log_in(bob, 2).await);
    let robot = new_id();
    done(world.does(ann, bot(robot, "robot")).await);
    let (hers, its) = (world.token(by, ann, None).await.unwrap(), world.token(by, robot, None).await.unwrap());
    for (user, session) in [(ann, hers), (robot, its)] {
        assert!(world.store.viewer(user, session).await.unwrap().unwrap().session_live);
    }
    assert!(!world.store.viewer(bob, hers).await.unwrap().unwrap().session_live, "hers alone");
    assert_eq!(world.token(his, robot, None).await, Err(NotMade::NoSuchBot));
    assert_eq!(world.store.bearer_of(ann, its).await.unwrap(), Some(robot));
    assert_eq!(world.store.bearer_of(bob, its).await.unwrap(), None);
    assert_eq!(world.store.bearer_of(ann, by.session).await.unwrap(), None, "a log-in is no token");
    assert!(world.store.tokens_of(bob, Some(robot)).await.unwrap().is_none());
    let listed = world.store.tokens_of(ann, Some(robot)).await.unwrap().unwrap();
    assert_eq!(listed.iter().map(|token| (token.id, token.user)).collect::<Vec<_>>(), [(its, robot)]);

    // The bot's end ends its tokens, by an entry before its own, which says so.
    let before = world.head().await;
    let stopped = done(world.does(ann, stop(robot)).await);
    let told = world.store.read(before.next(), world.head().await).await.unwrap().entries;
    let changes: Vec<Change> = told.iter().map(|entry| entry.change).collect();
    assert_eq!(
        changes,
        [Change::SessionRevoked { user: robot, session: None }, Change::User { verb: Verb::Updated, id: robot }]
    );
    assert_eq!(told[1].seq, stopped.seq);
    assert!(!world.store.viewer(robot, its).await.unwrap().unwrap().session_live);
    assert_eq!(world.token(by, robot, None).await, Err(NotMade::NoSuchBot));

    // One that ran out neither counts nor shows; a token that is not used for long is not forgotten, its end is.
    world.token(by, ann, Some(Millis(1))).await.unwrap();
    assert_eq!(world.store.tokens_of(ann, None).await.unwrap().unwrap().len(), 1);
    world.database.psql("update sessions set opened_ms = 1").unwrap();
    world.store.prune(1_000).await.unwrap();
    assert!(world.store.viewer(ann, hers).await.unwrap().unwrap().session_live);
    assert_eq!(
        world.database.psql("select count(*) from api_tokens").unwrap().trim(),
        "2",
        "hers, and its lately ended one"
    );
    world.database.psql("update users set standing = 1 where handle = 'ann'").unwrap();
    assert_eq!(world.token(by, ann, None).await, Err(NotMade::Suspended));
}

fn visibility(entry: &Entry) -> Option<Visibility> {
    entry.scope.as_ref().map(|scope| scope.visibility)
}

#[tokio::test]
async fn p5_a_comment_says_how_far_its_post_is_seen_wherever_it_is_told() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (open, few) = (world.post(ann, "#open").await, PostId(Uuid::now_v7()));
    done(world.does(ann, post_for(few, "#few", Visibility::Followers)).await);
    let (on_open, on_few) = (CommentId(Uuid::now_v7()), CommentId(Uuid::now_v7()));
    let first = world.head().await.next();
    for (id, post, expected) in [(on_open, open, None), (on_few, few, Some(Visibility::Followers))] {
        let told = done(world.does(ann, comment(id, post, None, "said")).await);
        assert_eq!(visibility(&told), expected, "written");
        assert!(
            told.scope.is_none_or(|scope| scope.tagged.is_empty() && scope.of.is_none()),
            "nothing of the post's own"
        );
        assert_eq!(visibility(&done(world.does(ann, edit_comment(id, "said again", None)).await)), expected, "changed");
        let read = world.store.read(first, world.head().await).await.unwrap();
        assert_eq!(read.entries.last().map(visibility), Some(expected), "read by the tail");
        let missed = world.store.missed(Some(bob), &[Firehose], first, 100).await.unwrap();
        let of_it = |entry: &&Entry| matches!(entry.change, Change::Comment { id: which, .. } if which == id);
        assert_eq!(missed.entries.iter().find(of_it).map(visibility), Some(expected), "caught up");
    }
    // Afterwards the post is for fewer, and so is what stands under it.
    done(world.does(ann, edit_for(open, "#open", Some(Visibility::Private), None)).await);
    assert_eq!(visibility(&done(world.does(ann, Act::CommentDelete { id: on_open }).await)), Some(Visibility::Private));
}

#[tokio::test]
async fn p3_the_firehose_catches_up_on_all_that_has_changed_and_begins_where_the_journal_stands() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let old = world.post(ann, "old").await;
    let under = world.comment(bob, old, None, "old").await;
    let goes = world.post(ann, "goes, and takes along what stands under it").await;
    world.comment(bob, goes, None, "goes, too").await;
    let from = world.head().await.next();
    let snapshot = world.store.snapshot(Some(bob), Firehose, 10).await.unwrap().unwrap();
    assert_eq!((snapshot.feed, snapshot.seq.next()), (Firehose, from));
    assert!(snapshot.posts.is_none() && snapshot.comments.is_none());
    done(world.does(bob, edit_comment(under, "changed", None)).await);
    world.post(ann, "new").await;
    world.comment(ann, old, None, "new").await;
    done(world.does(bob, rename("Bob B.")).await);
    let last = done(world.does(ann, Act::PostDelete { id: goes }).await);
    let missed = world.store.missed(Some(bob), &[Firehose, FeedName::Home], from, 100).await.unwrap();
    assert!(missed.restart.is_empty() && !missed.too_much);
    let seqs: Vec<u64> = missed.entries.iter().map(|entry| entry.seq.0).collect();
    assert_eq!(seqs, (from.0..=last.seq.0).collect::<Vec<_>>(), "each once, in order");
    let few = world.store.missed(Some(bob), &[Firehose], from, 3).await.unwrap();
    assert!(few.too_much, "a snapshot is the shorter answer");
    assert!(world.store.missed(Some(bob), &[Firehose], Seq(1), 100).await.unwrap().entries.len() > seqs.len());
}
