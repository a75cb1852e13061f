//! The firehose: what it tells whom, how it is narrowed, how one comes back to it.

use serde_json::{Value, json};
use tidings_protocol::entity::Visibility;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName::{Firehose, Global, Home};
use tidings_protocol::position::Cursor;
use tidings_protocol::reply::{FeedStart, Snapshot, Welcome};
use tidings_testkit::Node;

use crate::person::Person;
use crate::state::Told;
use crate::world::{Plan, World};

impl Person {
    /// A program of theirs that listens.
    async fn listens(&mut self, node: &Node, filter: Value) -> Self {
        let made = self.makes_token(&["read", "write", "firehose"]).await;
        let mut ear = self.sends_program(&made.secret);
        ear.connects(node, &[]).await;
        let begins: Snapshot =
            ear.request("feed.subscribe", json!({ "feed": Firehose, "filter": filter })).await.expect("it may");
        assert_eq!((begins.posts, begins.next), (None, None), "a stream has nothing to begin with");
        ear.state.starts_afresh(Snapshot::empty(Firehose, begins.seq));
        ear
    }

    /// The numbers of what came by the firehose.
    fn overheard(&self) -> Vec<u64> {
        let by_it = |told: &&Told| told.feed == Firehose;
        self.state.told.iter().filter(by_it).map(|told| told.seq.0).collect()
    }
}

#[tokio::test]
async fn p5_programs_hear_of_everything_public_on_every_node_and_of_nothing_else() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Home]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[]).await;
    let mut ear = bob.listens(world.b(), json!(null)).await;
    let said = ann.posts("for everybody").await;
    ann.posts_for(Visibility::Private, "for herself").await;
    let circle = ann.posts_for(Visibility::Followers, "for few").await;
    ann.comments(circle.id, None, "among few").await;
    let comment = ann.comments(said.id, None, "among all").await;
    let user: Value = ann.request("user.update", json!({ "name": "Ann A." })).await.expect("hers");
    let last = ann.posts("the fence").await;
    ear.hears_post("the fence").await;
    let expected = [said.rev.0, comment.rev.0, user["seq"].as_u64().expect("a number"), last.rev.0];
    assert_eq!(ear.overheard(), expected);
    // A post that is narrowed goes, and who comes back hears no more of it.
    ann.narrows(&said, Visibility::Followers).await;
    ear.hears_removal(Firehose, &said).await;
    let cursor = Cursor { seq: said.rev, ..ear.cursor.expect("one") };
    ear.loses_the_line();
    ear.dials(world.a()).await;
    let before = ear.overheard().len();
    let hello = json!({ "token": ear.token(), "feeds": [Firehose], "cursor": cursor });
    let welcome: Welcome = ear.request("hello", hello).await.expect("welcome");
    assert!(welcome.resumed && matches!(welcome.feeds[0], FeedStart::Live { .. }), "{:?}", welcome.feeds);
    ear.cursor = Some(welcome.cursor);
    let after = ann.posts("after that").await;
    ear.hears_post("after that").await;
    let heard = ear.overheard().split_off(before);
    assert!(!heard.contains(&comment.rev.0), "the comment went with its post: {heard:?}");
    assert!(heard.contains(&last.rev.0) && heard.ends_with(&[after.rev.0]), "{heard:?}");
}

#[tokio::test]
async fn a_program_hears_what_it_asked_for() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    let filter = json!({ "kinds": ["post"], "authors": [ann.id()], "tags": ["rain"] });
    let mut ear = bob.listens(world.a(), filter).await;
    bob.posts("#rain as bob has it").await;
    ann.posts("no such thing").await;
    let one = ann.posts("#rain at four").await;
    let comment = ann.comments(one.id, None, "#rain in a comment").await;
    let two = ann.posts("more #Rain").await;
    ear.hears_post("more #Rain").await;
    assert_eq!(ear.overheard(), [one.rev.0, two.rev.0]);
    assert!(comment.rev > one.rev);
    let wrong = json!({ "feed": Global, "filter": { "kinds": ["post"] } });
    let refused: Result<Value, Refusal> = ear.request("feed.subscribe", wrong).await;
    assert_eq!(refused.expect_err("not of this").field.as_deref(), Some("filter"));
    let many: Vec<_> = (0..101).map(|_| uuid::Uuid::now_v7()).collect();
    let refused: Result<Value, Refusal> =
        ear.request("feed.subscribe", json!({ "feed": Firehose, "filter": { "authors": many } })).await;
    assert_eq!(refused.expect_err("too many").field.as_deref(), Some("filter.authors"));
}

#[tokio::test]
async fn p6_there_are_as_many_places_as_the_operator_wants() {
    let world = Plan::default().set("firehose_connections", "1").one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut first = ann.listens(world.a(), json!(null)).await;
    let made = ann.makes_token(&["firehose"]).await;
    let mut second = ann.sends_program(&made.secret);
    second.dials(world.a()).await;
    second.feeds = vec![Firehose];
    let welcome = second.says_hello().await.expect("welcome");
    let full =
        |start: &FeedStart| matches!(start, FeedStart::Refused { error, .. } if error.code == ErrorCode::Overloaded);
    assert!(full(&welcome.feeds[0]), "{:?}", welcome.feeds);
    let gone: Result<Value, Refusal> = first.request("feed.unsubscribe", json!({ "feed": Firehose })).await;
    gone.expect("gone");
    let begins: Result<Value, Refusal> = second.request("feed.subscribe", json!({ "feed": Firehose })).await;
    begins.expect("there is room");
}
