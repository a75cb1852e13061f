//! `global` told in part over the real server, on two nodes: readers are told so, are told the same, and are told when it is over.

use serde_json::json;
use tidings_protocol::feed::FeedName::{Global, Home};
use tidings_protocol::push::Notice;
use tidings_protocol::reply::Snapshot;

use crate::person::Person;
use crate::world::{Plan, World};

/// New posts a second that are told in this world.
const RATE: u64 = 5;

impl Person {
    /// What was said last of how much of `global` is told.
    fn one_in(&self) -> Option<u32> {
        let said =
            |notice: &Notice| if let Notice::Sampled { feed: Global, one_in } = notice { Some(*one_in) } else { None };
        self.notices.iter().rev().find_map(said)
    }
}

/// Posts at many times the rate until the reader has been told that they hear a part. Gives how many were posted.
async fn floods(writer: &mut Person, reader: &mut Person, posted: &mut usize) {
    while reader.one_in().is_none_or(|one_in| one_in == 1) {
        for _ in 0..4 * RATE {
            *posted += 1;
            writer.posts(&format!("post {posted}")).await;
        }
        reader.is_answered().await;
    }
}

#[tokio::test]
async fn p3_more_than_anybody_can_read_is_told_in_part_saying_so_and_whole_again_afterwards() {
    let world: World = Plan::default().set("global_rate", &RATE.to_string()).two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Home]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Global]).await;
    let mut carl = Person::arrives(world.b(), "carl", &[Global]).await;
    let mut posted = 0;
    floods(&mut ann, &mut bob, &mut posted).await;
    floods(&mut ann, &mut carl, &mut posted).await;
    // Who comes meanwhile is told so, and has everything in the snapshot.
    let mut dora = Person::arrives(world.a(), "dora", &[]).await;
    let all: Snapshot =
        dora.request("feed.subscribe", json!({ "feed": "global", "limit": 100 })).await.expect("a snapshot");
    assert_eq!(all.posts.as_ref().map(Vec::len), Some(posted.min(100)));
    dora.state.starts_afresh(all);
    floods(&mut ann, &mut dora, &mut posted).await;
    // It ends by itself, also when nobody posts any more.
    for reader in [&mut bob, &mut carl, &mut dora] {
        reader.hears_until("that all is told", |reader| reader.one_in() == Some(1)).await;
        assert!(reader.state.texts(Global).len() < posted, "all {posted} were told");
    }
    ann.is_answered().await;
    assert_eq!(ann.state.texts(Home).len(), posted, "nothing is left out of home");
    ann.posts("told again").await;
    for reader in [&mut bob, &mut carl, &mut dora] {
        reader.hears_post("told again").await;
    }
}
