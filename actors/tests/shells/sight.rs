//! Feeds that a viewer may not watch, or not any more: however they ask, and whatever they watched before.

use serde_json::json;
use tidings_actors::entry::{Change, Verb};

use crate::house::{House, SETTINGS, cursor};
use crate::memory::{post_by, user};
use crate::place;

#[actix::test]
async fn p5_whoever_claims_to_have_watched_a_post_they_may_not_see_is_refused_it() {
    let house = House::open(SETTINGS).await;
    let (seen, unseen) = (post_by(2), post_by(2));
    house.happens(&[seen, unseen]).await;
    let feed = |change: Change| {
        let Change::Post { id, .. } = change else { panic!("a post") };
        (id, format!("post:{id}"))
    };
    let ((_, seen), (hidden, unseen)) = (feed(seen), feed(unseen));
    house.memory.hidden.lock().unwrap().push(hidden);
    let hello = json!({ "token": "1/1", "feeds": [seen, unseen], "cursor": cursor(2) });
    let (ann, welcome) = house.greets(hello).await;
    let feeds = &welcome["result"]["feeds"];
    assert_eq!((&feeds[0]["status"], &feeds[1]["status"]), (&json!("live"), &json!("refused")), "{welcome}");
    assert_eq!(feeds[1]["error"]["code"], "not_found");
    house.happens(&[post_by(3)]).await;
    assert_eq!(
        ann.hears().await["cursor"],
        cursor(2),
        "of the two entries it hears neither: a heartbeat marks the end"
    );
    assert_eq!(ann.heard(), None);
}

#[actix::test]
async fn p5_a_block_ends_what_may_not_be_watched_any_more_and_tells_the_rest_afresh() {
    let house = House::open(SETTINGS).await;
    let bobs = format!("user:{}", user(2));
    let (ann, _) = house.greets(json!({ "token": "1/1", "feeds": ["global", "me", bobs] })).await;
    let (bob, _) = house.greets(json!({ "token": "2/1", "feeds": ["global"] })).await;
    house.happens(&[Change::Block { verb: Verb::Created, blocker: user(1), blocked: user(2) }, post_by(2)]).await;
    for feed in ["global", &bobs] {
        let afresh = ann.hears().await;
        assert_eq!((place(&afresh), &afresh["event"]), ((feed, 1), &json!("feed.resync")));
    }
    assert_eq!(ann.hears().await["event"], "block.created");
    assert_eq!(ann.hears().await["cursor"], cursor(2));
    assert_eq!(bob.hears().await["event"], "feed.resync");
    assert_eq!(place(&bob.hears().await), ("global", 2), "one's own");
    assert_eq!(bob.hears().await["cursor"], cursor(2));
    // The profile is over, and cannot be watched again, in whatever way one asks.
    house.happens(&[post_by(2), post_by(3)]).await;
    assert_eq!(place(&ann.hears().await), ("global", 4));
    ann.asks("feed.subscribe", &json!({ "feed": bobs }));
    assert_eq!(ann.hears().await["error"]["code"], "not_found");
    let hello = json!({ "token": "1/2", "feeds": [bobs, "me"], "cursor": cursor(4) });
    let (_, welcome) = house.greets(hello).await;
    let feeds = &welcome["result"]["feeds"];
    assert_eq!((&feeds[0]["status"], &feeds[1]["status"]), (&json!("refused"), &json!("live")), "{welcome}");
}
