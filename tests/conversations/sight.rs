//! Who sees what: visibility of posts, blocks, mutes, hashtags, and what is handed on; live, catching up, in pages and on another node (P4, P5).

use serde_json::{Value, json};
use tidings_protocol::entity::{Comment, Post, Visibility};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::feed::FeedName::{Global, Home, Me, User};
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::reply::{FeedStart, PostResult, Snapshot};
use uuid::Uuid;

use crate::person::Person;
use crate::state::{Thing, post_key};
use crate::world::World;

impl Person {
    /// Posts for fewer than everybody.
    pub async fn posts_for(&mut self, visibility: Visibility, text: &str) -> Post {
        let params = json!({ "id": Uuid::now_v7(), "text": text, "visibility": visibility });
        let created: PostResult = self.request("post.create", params).await.expect("posted");
        assert_eq!(created.post.extra.visibility, visibility);
        created.post
    }

    /// From now on for others.
    pub async fn narrows(&mut self, post: &Post, visibility: Visibility) {
        let params = json!({ "id": post.id, "text": post.text, "visibility": visibility });
        let updated: PostResult = self.request("post.update", params).await.expect("updated");
        assert_eq!(updated.post.extra.visibility, visibility);
    }

    /// `user.block`, `user.mute` and their ends.
    pub async fn turns(&mut self, method: &str, whom: UserId) {
        let answer: Result<Value, Refusal> = self.request(method, json!({ "id": whom })).await;
        answer.expect("done");
    }

    async fn fetches(&mut self, feed: FeedName) -> Result<Snapshot, Refusal> {
        self.request("feed.subscribe", json!({ "feed": feed })).await
    }
}

fn texts(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.posts.iter().flatten().map(|post| post.text.as_str()).rev().collect()
}

#[tokio::test]
async fn p5_a_block_takes_both_out_of_each_others_sight_on_every_node_at_once() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Home, Global, Me]).await;
    let carol = Person::arrives(world.a(), "carol", &[]).await;
    let hers = ann.posts("hers").await;
    let mut bob = Person::arrives(world.b(), "bob", &[Home, Global, Me, User(ann.id()), FeedName::Post(hers.id)]).await;
    bob.follows(ann.id()).await;
    ann.follows(bob.id()).await;
    bob.hears_until("her post at home", |bob| bob.state.texts(Home) == ["hers"]).await;
    let his = bob.posts("his").await;
    ann.hears_until("his post at home", |ann| ann.state.texts(Home) == ["hers", "his"]).await;

    ann.turns("user.block", bob.id()).await;
    bob.hears_until("nothing of hers anywhere", |bob| {
        let feeds = [Home, Global, User(ann.id()), FeedName::Post(hers.id)];
        feeds.iter().all(|&feed| !bob.state.texts(feed).contains(&"hers".to_owned()))
    })
    .await;
    ann.hears_until("nothing of his", |ann| {
        [Home, Global].iter().all(|&feed| !ann.state.texts(feed).contains(&"his".to_owned()))
    })
    .await;
    let follows_nobody = |person: &Person| !person.state.things(Me).any(|thing| matches!(thing, Thing::Follow(_)));
    for person in [&mut ann, &mut bob] {
        person.hears_until("the end of a follow, on both sides", follows_nobody).await;
    }

    ann.posts("hers, later").await;
    ann.comments(hers.id, None, "under hers").await;
    let mut fence = carol;
    fence.posts("the fence").await;
    bob.hears_post("the fence").await;
    assert!(bob.state.post("hers, later").is_none());
    assert!(bob.state.comments(FeedName::Post(hers.id)).is_empty(), "the feed of her post has ended for him");

    for (method, params) in [
        ("post.get", json!({ "id": hers.id })),
        ("comment.create", json!({ "id": Uuid::now_v7(), "post": hers.id, "text": "x" })),
        ("comment.page", json!({ "post": hers.id })),
        ("post.create", json!({ "id": Uuid::now_v7(), "of": hers.id })),
        ("user.get", json!({ "id": ann.id() })),
        ("user.get", json!({ "handle": "ann" })),
        ("user.follow", json!({ "id": ann.id() })),
        ("feed.subscribe", json!({ "feed": User(ann.id()) })),
        ("feed.subscribe", json!({ "feed": FeedName::Post(hers.id) })),
        ("feed.page", json!({ "feed": User(ann.id()) })),
    ] {
        bob.is_refused(ErrorCode::NotFound, method, params).await;
    }
    ann.is_refused(ErrorCode::Forbidden, "user.follow", json!({ "id": bob.id() })).await;
    ann.is_refused(ErrorCode::NotFound, "post.get", json!({ "id": his.id })).await;

    ann.turns("user.unblock", bob.id()).await;
    bob.hears_until("hers again", |bob| bob.state.texts(Global).contains(&"hers".to_owned())).await;
    bob.follows(ann.id()).await;
}

#[tokio::test]
async fn p5_a_post_reaches_those_it_is_for_and_nobody_else() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Home]).await;
    let (id, everywhere) = (ann.id(), [Home, Global, User(ann.id())]);
    let mut follower = Person::arrives(world.b(), "follower", &everywhere).await;
    let mut stranger = Person::arrives(world.b(), "stranger", &everywhere).await;
    let mut named = Person::arrives(world.a(), "named", &everywhere).await;
    let mut nobody = Person::anonymous();
    nobody.connects(world.a(), &[Global, User(id)]).await;
    follower.follows(id).await;
    let followers = ann.posts_for(Visibility::Followers, "for followers, and @named").await;
    let mentioned = ann.posts_for(Visibility::Mentioned, "for @named alone").await;
    let private = ann.posts_for(Visibility::Private, "for nobody").await;
    ann.posts("for everybody").await;
    for person in [&mut follower, &mut stranger, &mut named, &mut nobody] {
        person
            .hears_until("the last one on her page", |me| {
                me.state.texts(User(id)).ends_with(&["for everybody".to_owned()])
            })
            .await;
    }
    ann.hears_until("the last one of her own", |ann| ann.state.texts(Home).len() == 4).await;
    let all = ["for followers, and @named", "for @named alone", "for nobody", "for everybody"];
    assert_eq!(ann.state.texts(Home), all);
    assert_eq!(follower.state.texts(User(id)), [all[0], all[3]]);
    assert_eq!(named.state.texts(User(id)), [all[0], all[1], all[3]]);
    assert_eq!(stranger.state.texts(User(id)), [all[3]]);
    assert_eq!(nobody.state.texts(User(id)), [all[3]]);
    follower.hears_until("at home too", |me| me.state.texts(Home) == [all[0], all[3]]).await;
    for person in [&follower, &stranger, &named, &nobody] {
        assert!(person.state.texts(Global).iter().all(|text| text == all[3]), "global is for what is for everybody");
    }
    // The same in pages and by name.
    let page: Snapshot = stranger.fetches(User(id)).await.expect("her page");
    assert_eq!(texts(&page), [all[3]]);
    for (post, may) in [(&followers, [true, true, false]), (&mentioned, [false, true, false]), (&private, [false; 3])] {
        for (person, may) in [&mut follower, &mut named, &mut stranger].into_iter().zip(may) {
            let got: Result<Value, Refusal> = person.request("post.get", json!({ "id": post.id })).await;
            assert_eq!(got.is_ok(), may, "{} and {}", person.handle, post.text);
            let began = person.fetches(FeedName::Post(post.id)).await;
            assert_eq!(began.is_ok(), may, "{} and the feed of {}", person.handle, post.text);
        }
    }
}

#[tokio::test]
async fn p5_a_post_that_is_narrowed_goes_from_those_who_may_see_it_no_longer_and_comes_back_when_it_is_widened() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let post = ann.posts("for everybody, at first").await;
    let feeds = [Global, User(ann.id()), FeedName::Post(post.id)];
    let mut bob = Person::arrives(world.a(), "bob", &feeds).await;
    ann.narrows(&post, Visibility::Followers).await;
    for feed in feeds {
        bob.hears_removal(feed, &post).await;
    }
    ann.comments(post.id, None, "among ourselves").await;
    ann.posts("the fence").await;
    bob.hears_post("the fence").await;
    assert!(bob.state.comments(FeedName::Post(post.id)).is_empty());
    ann.narrows(&post, Visibility::Public).await;
    bob.hears_post("for everybody, at first").await;

    // The same for one who was away.
    bob.loses_the_line();
    ann.narrows(&post, Visibility::Private).await;
    bob.resumes(world.a()).await;
    bob.hears_removal(Global, &post).await;
    bob.hears_removal(User(ann.id()), &post).await;
}

#[tokio::test]
async fn p5_no_cursor_opens_the_feed_of_a_post_that_one_may_not_see() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let secret = ann.posts_for(Visibility::Private, "secret").await;
    let mut bob = Person::arrives(world.a(), "bob", &[Global]).await;
    ann.comments(secret.id, None, "secret too").await;
    ann.posts("the fence").await;
    bob.hears_post("the fence").await;
    bob.loses_the_line();
    // He claims to have watched it.
    bob.feeds.push(FeedName::Post(secret.id));
    let welcome = bob.resumes(world.a()).await;
    let refused =
        |start: &&FeedStart| matches!(start, FeedStart::Refused { error, .. } if error.code == ErrorCode::NotFound);
    assert_eq!(welcome.feeds.iter().filter(refused).count(), 1, "{:?}", welcome.feeds);
    ann.comments(secret.id, None, "still secret").await;
    ann.posts("another fence").await;
    bob.hears_post("another fence").await;
    assert!(bob.state.feeds.get(&FeedName::Post(secret.id)).is_none_or(|feed| feed.things.is_empty()));
}

#[tokio::test]
async fn a_mute_hides_somebody_from_oneself_alone_on_all_devices_and_not_where_one_goes_to_look() {
    let world = World::two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Home, Global, Me]).await;
    let mut carol = Person::arrives(world.a(), "carol", &[]).await;
    bob.follows(ann.id()).await;
    let post = carol.posts("carol's").await;
    let before = ann.comments(post.id, None, "from before").await;
    let answer = carol.comments(post.id, Some(before.id), "an answer").await;
    ann.posts("loud").await;
    bob.hears_until("her post", |bob| bob.state.texts(Home) == ["loud"]).await;
    let mut phone = Person::logs_in(world.b(), "bob").await;
    phone.connects(world.b(), &[Home, Me, FeedName::Post(post.id), User(ann.id())]).await;

    bob.turns("user.mute", ann.id()).await;
    for device in [&mut bob, &mut phone] {
        device.hears_until("nothing of hers at home", |me| me.state.texts(Home).is_empty()).await;
        device.hears_until("the mute", |me| me.state.things(Me).any(|thing| matches!(thing, Thing::Mute(_)))).await;
    }
    ann.posts("louder").await;
    ann.comments(post.id, None, "louder here too").await;
    carol.comments(post.id, Some(answer.id), "the fence").await;
    let thread = FeedName::Post(post.id);
    phone
        .hears_until("the fence", |me| {
            me.state.comments(thread).iter().any(|comment| comment.text.as_deref() == Some("the fence"))
        })
        .await;
    let hers = |comment: &&Comment| comment.id == before.id;
    let shown = phone.state.comments(thread);
    assert!(
        shown.iter().find(hers).is_some_and(|comment| comment.removed && comment.text.is_none()),
        "holds the answer in place"
    );
    assert!(shown.iter().all(|comment| comment.text.as_deref() != Some("louder here too")));
    phone.hears_until("on her page", |me| me.state.texts(User(ann.id())) == ["loud", "louder"]).await;
    assert!(bob.state.texts(Global).iter().all(|text| text == "carol's"));

    bob.turns("user.unmute", ann.id()).await;
    phone.hears_until("hers again", |me| me.state.texts(Home) == ["loud", "louder"]).await;
}

#[tokio::test]
async fn a_mute_until_some_time_ends_by_itself() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Global, Me]).await;
    ann.posts("loud").await;
    bob.hears_post("loud").await;
    let soon =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis() + 1_500;
    let muted: Value = bob
        .request("user.mute", json!({ "id": ann.id(), "until": u64::try_from(soon).expect("fits") }))
        .await
        .expect("muted");
    assert_eq!(muted["muting"], true);
    bob.hears_until("nothing of hers", |bob| bob.state.texts(Global).is_empty()).await;
    bob.hears_until("hers again", |bob| bob.state.texts(Global) == ["loud"]).await;
    bob.hears_until("the end of the mute", |bob| !bob.state.things(Me).any(|thing| matches!(thing, Thing::Mute(_))))
        .await;
    // A time that has passed is none.
    let ended: Value = bob.request("user.mute", json!({ "id": ann.id(), "until": 1 })).await.expect("answered");
    assert_eq!(ended["muting"], false);
}

#[tokio::test]
async fn hashtags_are_feeds_whatever_their_case_and_posts_leave_them_with_the_tag() {
    let world = World::one_node().await;
    let rust = FeedName::Tag("rust".parse().expect("a tag"));
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::anonymous();
    bob.connects(world.a(), &[rust]).await;
    let post = ann.posts("about #Rust and #größe").await;
    ann.posts("about nothing").await;
    ann.posts_for(Visibility::Followers, "not for all #rust").await;
    ann.posts("#rust again").await;
    bob.hears_post("#rust again").await;
    assert_eq!(bob.state.texts(rust), ["about #Rust and #größe", "#rust again"]);
    let spans: Vec<_> = post.extra.tags.iter().map(|span| (span.start, span.end, span.tag.to_string())).collect();
    assert_eq!(spans, [(6, 11, "rust".to_owned()), (16, 22, "größe".to_owned())]);
    let edited: Result<PostResult, Refusal> =
        ann.request("post.update", json!({ "id": post.id, "text": "about #iron" })).await;
    edited.expect("edited");
    bob.hears_until("it has left", |bob| bob.state.is_gone(rust, &post_key(&post.id.to_string()))).await;
    let page: Value = bob.request("feed.page", json!({ "feed": "tag:RUST" })).await.expect("a page");
    assert_eq!(page["posts"].as_array().map(Vec::len), Some(1));
    bob.is_refused(ErrorCode::Invalid, "feed.subscribe", json!({ "feed": "tag:no spaces" })).await;
}

#[tokio::test]
async fn a_post_is_handed_on_once_without_words_and_as_often_as_one_likes_with() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[Home]).await;
    let post = ann.posts("worth it").await;
    let secret = ann.posts_for(Visibility::Followers, "between us").await;
    let hand_on = |of: PostId| json!({ "id": Uuid::now_v7(), "of": of });
    let first = hand_on(post.id);
    let repost: PostResult = bob.request("post.create", first.clone()).await.expect("handed on");
    assert_eq!((repost.post.text.as_str(), repost.post.extra.of), ("", Some(post.id)));
    let again: PostResult = bob.request("post.create", first).await.expect("the same again");
    assert!(again.duplicate);
    bob.is_refused(ErrorCode::Conflict, "post.create", hand_on(post.id)).await;
    bob.is_refused(ErrorCode::NotFound, "post.create", hand_on(secret.id)).await;
    bob.is_refused(ErrorCode::NotFound, "post.create", hand_on(repost.post.id)).await;
    bob.is_refused(ErrorCode::Invalid, "post.create", json!({ "id": Uuid::now_v7() })).await;
    for words in ["so true", "so very true"] {
        let quote = json!({ "id": Uuid::now_v7(), "of": post.id, "text": words, "warning": "praise" });
        let quote: PostResult = bob.request("post.create", quote).await.expect("quoted");
        assert_eq!(quote.post.extra.warning.as_deref(), Some("praise"));
    }
    bob.hears_until("all three at home", |bob| bob.state.texts(Home) == ["", "so true", "so very true"]).await;
    bob.deletes(repost.post.id).await;
    let once_more: Result<PostResult, Refusal> = bob.request("post.create", hand_on(post.id)).await;
    once_more.expect("what was taken back can be handed on again");
}

#[tokio::test]
async fn p7_nobody_is_blocked_over_and_over() {
    let world = World::one_node().await;
    let mut ann = Person::arrives(world.a(), "ann", &[Home]).await;
    let mut bob = Person::arrives(world.a(), "bob", &[]).await;
    let cat = Person::signs_up(world.a(), "cat").await;
    let mut turned = 0;
    let refusal = loop {
        let method = if turned % 2 == 0 { "user.block" } else { "user.unblock" };
        match bob.request::<Value>(method, json!({ "id": ann.id() })).await {
            Ok(_) => turned += 1,
            Err(refusal) => break refusal,
        }
        assert!(turned <= 10, "for ever");
    };
    assert_eq!((refusal.code, turned), (ErrorCode::RateLimited, 6));
    assert!(refusal.retry_after_ms.is_some_and(|wait| wait <= 10_000), "{refusal:?}");
    bob.turns("user.block", cat.id()).await;
    // However fast he is, she is told afresh no more often than he turned.
    ann.posts("in peace").await;
    ann.hears_post("in peace").await;
    ann.is_answered().await;
    assert!(ann.snapshots(Home) <= 1 + turned, "{}", ann.snapshots(Home));
}
