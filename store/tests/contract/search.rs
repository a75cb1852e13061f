//! Looking for people, posts and tags: what is found, what is not for the one who asks (P5), and that no question makes the database look far.

use std::collections::BTreeMap;

use tidings_actors::command::{Act, Deed};
use tidings_actors::ports::{NotSearched, Search};
use tidings_protocol::entity::Visibility;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::listing::Span;
use tidings_protocol::marks::Emoji;
use tidings_protocol::position::Seq;
use tidings_protocol::reply::PostsPage;
use tidings_protocol::search::PostsFound;
use tidings_protocol::text::{Prefix, Query};
use uuid::Uuid;

use crate::world::{World, block, done, edit, edit_for, hand_on, mute, post_for, rename};

impl World {
    /// Everything written so far can be found.
    async fn is_indexed(&self) {
        while self.store.index_some().await.unwrap() {}
    }

    async fn finds(&self, viewer: Option<UserId>, query: &str) -> Vec<PostId> {
        self.is_indexed().await;
        let found = self.looks(viewer, query, None, 50).await;
        assert_eq!(found.next, None);
        found.posts.into_iter().map(|post| post.id).collect()
    }

    async fn looks(&self, viewer: Option<UserId>, query: &str, before: Option<Seq>, limit: u16) -> PostsFound {
        self.store.posts(viewer, &Query::parse(query).unwrap(), before, limit).await.unwrap()
    }

    async fn people(&self, viewer: Option<UserId>, query: &str) -> Vec<(String, bool)> {
        self.is_indexed().await;
        let found = Search::people(&self.store, viewer, &Query::parse(query).unwrap(), None, 50).await.unwrap();
        found.people.into_iter().map(|found| (found.user.handle, found.following)).collect()
    }

    async fn handles(&self, viewer: Option<UserId>, query: &str) -> Vec<String> {
        self.people(viewer, query).await.into_iter().map(|(handle, _)| handle).collect()
    }

    async fn tags(&self, prefix: &str) -> Vec<(String, u64)> {
        self.is_indexed().await;
        let found = self.store.tags(&Prefix::parse(prefix).unwrap()).await.unwrap();
        found.tags.into_iter().map(|found| (found.tag.to_string(), found.posts)).collect()
    }

    async fn suggests(&self, viewer: UserId, prefix: &str, post: Option<PostId>) -> Option<Vec<String>> {
        self.is_indexed().await;
        let found = self.store.mentions(viewer, &Prefix::parse(prefix).unwrap(), post).await.unwrap()?;
        Some(found.people.into_iter().map(|person| person.handle).collect())
    }
}

#[tokio::test]
async fn posts_are_found_by_words_phrases_and_what_they_are_without() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let early = world.post(ann, "Birds in the early morning, CAFÉ first").await;
    let pigeon = world.post(ann, "Morning! Early birds, and one pigeon").await;
    let script = world.post(ann, "今天的数据库很快 #Éclair").await;
    assert_eq!(world.finds(None, "birds").await, [pigeon, early], "the newest first");
    assert_eq!(world.finds(None, "BIRDS cafe").await, [early]);
    assert_eq!(world.finds(None, "\"early morning\"").await, [early]);
    assert_eq!(world.finds(None, "birds -pigeon").await, [early]);
    assert_eq!(world.finds(None, "pigeon or 数据库").await, [script, pigeon]);
    assert_eq!(world.finds(None, "eclair").await, [script]);
    assert_eq!(world.finds(None, "bird").await, [], "words are whole");
    done(world.does(ann, edit(pigeon, "only owls", None)).await);
    assert_eq!(world.finds(None, "birds").await, [early]);
    assert_eq!(world.finds(None, "owls").await, [pigeon]);
    done(world.does(ann, Act::PostDelete { id: early }).await);
    done(world.does(ann, hand_on(PostId(Uuid::now_v7()), pigeon, None)).await);
    assert_eq!(world.finds(None, "birds").await, []);
    let kept = world.database.psql("select count(*) from post_words").unwrap();
    assert_eq!(kept.trim(), "2", "nothing is kept of what was removed, or has no words");
    for unclear in ["-birds", "🎉"] {
        let answer = world.store.posts(None, &Query::parse(unclear).unwrap(), None, 9).await;
        assert!(matches!(answer, Err(NotSearched::Unclear(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn p5_posts_are_found_by_those_alone_who_may_see_them_now() {
    let world = World::new().await;
    let (ann, bob, eve) = (world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("eve").await);
    let mut posts = BTreeMap::new();
    for (name, visibility) in [
        ("open", Visibility::Public),
        ("circle", Visibility::Followers),
        ("named", Visibility::Mentioned),
        ("draft", Visibility::Private),
    ] {
        let id = PostId(Uuid::now_v7());
        done(world.does(ann, post_for(id, &format!("secretword {name} @eve"), visibility)).await);
        posts.insert(name, id);
    }
    done(world.does(bob, Act::Follow { whom: ann }).await);
    let of = |names: &[&str]| names.iter().map(|name| posts[name]).collect::<Vec<_>>();
    assert_eq!(world.finds(Some(ann), "secretword").await, of(&["draft", "named", "circle", "open"]));
    assert_eq!(world.finds(Some(bob), "secretword").await, of(&["circle", "open"]));
    assert_eq!(world.finds(Some(eve), "secretword").await, of(&["named", "circle", "open"]));
    assert_eq!(world.finds(None, "secretword").await, of(&["open"]));
    // Narrowed, but not taken in yet: what is found is looked up as it is.
    done(world.does(ann, edit_for(posts["open"], "secretword", Some(Visibility::Private), None)).await);
    assert!(world.looks(None, "secretword", None, 9).await.posts.is_empty());
    done(world.does(ann, edit_for(posts["open"], "secretword", Some(Visibility::Public), None)).await);
    done(world.does(bob, mute(ann)).await);
    assert_eq!(world.finds(Some(bob), "secretword").await, of(&[]));
    done(world.does(ann, block(eve)).await);
    assert_eq!(world.finds(Some(eve), "secretword").await, of(&[]));
    assert_eq!(world.finds(None, "secretword").await, of(&["open"]));
}

/// Page by page the same as at once; and a common word whose posts are all hidden is given up after so many, to go on from there.
#[tokio::test]
async fn p6_pages_join_and_no_search_looks_at_more_than_it_may() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let mut expected = Vec::new();
    for nth in 0..7 {
        expected.insert(0, world.post(ann, &format!("common {nth}")).await);
    }
    world.is_indexed().await;
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = world.looks(None, "common", before, 3).await;
        found.extend(page.posts.iter().map(|post| post.id));
        match page.next {
            Some(next) => before = Some(next.seq),
            None => break,
        }
    }
    assert_eq!(found, expected);
    // As the chore would have left it after years: a million posts further on, of which bob hides the newest ones with the word.
    world
        .database
        .psql(&format!(
            "insert into posts (id, author, text, seq, rev, created_ms)
             select md5(n::text)::uuid, '{}', 'common', n, n, 0 from generate_series(1000001, 1002500) n;
             insert into post_words (seq, post, rev, words, tags)
             select n, md5(n::text)::uuid, n, to_tsvector('simple', 'common') || array_to_tsvector(array[block_word(n)]), '{{}}'
               from generate_series(1000001, 1002500) n",
            ann.0
        ))
        .unwrap();
    done(world.does(bob, mute(ann)).await);
    let page = world.looks(Some(bob), "common", None, 50).await;
    assert_eq!((page.posts.len(), page.next.map(|next| next.seq)), (0, Some(Seq(1_000_501))), "2,000 were looked at");
    let cara = world.sign_up("cara").await;
    let rare = world.post(cara, "a rare one").await;
    world.database.psql(&format!("update post_words set seq = 500000000 where post = '{}'", expected[0].0)).unwrap();
    world.is_indexed().await;
    let page = world.looks(None, "rare", None, 50).await;
    assert!(page.posts.is_empty(), "the word stands thousands of blocks back");
    assert_eq!(page.next.map(|next| next.seq), Some(Seq(((500_000_000 >> 14) - 255) << 14)));
    let near = world.looks(None, "rare", Some(Seq(1_000_000)), 50).await;
    assert_eq!(near.posts.first().map(|post| post.id), Some(rare));
}

/// The words of posts are only ever read by their index.
#[tokio::test]
async fn p6_a_search_reads_the_index_of_words_and_nothing_else() {
    let world = World::new().await;
    let plan = world
        .database
        .psql(
            "set enable_seqscan = off; set enable_indexscan = on;
             explain select w.seq from post_words w where w.words @@ ('''#1''' ::tsquery && websearch_to_tsquery('simple', 'word'))",
        )
        .unwrap();
    assert!(plan.contains("post_words_words"), "{plan}");
    let plan = world
        .database
        .psql(
            "set enable_seqscan = off; set enable_bitmapscan = off;
             explain select w.user_id from people_words w where w.word >= 'an' and w.word < behind_prefix('an') order by w.word, w.user_id limit 700",
        )
        .unwrap();
    assert!(plan.contains("Index") && plan.contains("people_words_pk") && !plan.contains("Sort"), "{plan}");
}

#[tokio::test]
async fn people_are_found_by_beginnings_those_one_means_first() {
    let world = World::new().await;
    let me = world.sign_up("me_myself").await;
    for handle in ["anna", "annabel", "ann", "bob_ann", "joanna"] {
        let id = world.sign_up(handle).await;
        if handle == "bob_ann" {
            done(world.does(id, rename("José Müller")).await);
        }
        if handle == "annabel" || handle == "joanna" {
            done(world.does(me, Act::Follow { whom: id }).await);
        }
    }
    let all = [("ann", false), ("annabel", true), ("anna", false), ("bob_ann", false)];
    let all: Vec<_> = all.into_iter().map(|(handle, follows)| (handle.to_owned(), follows)).collect();
    assert_eq!(world.people(Some(me), "@ANN").await, all, "exact, followed, begins so, has such a word");
    assert_eq!(world.handles(None, "jose mul").await, ["bob_ann"]);
    assert_eq!(world.handles(None, "bob_").await, ["bob_ann"]);
    assert_eq!(world.handles(None, "jose x").await, Vec::<String>::new());
    let newcomer = world.sign_up("newcomer").await;
    let query = Query::parse("newcomer").unwrap();
    let found = Search::people(&world.store, None, &query, None, 9).await.unwrap();
    assert_eq!(found.people[0].user.id, newcomer, "found by their handle before they are taken in");
    let bob = found_id(&world, "bob_ann").await;
    done(world.does(bob, rename("Somebody Else")).await);
    assert_eq!(world.handles(None, "jose").await, Vec::<String>::new(), "a name that is borne no more");
    for (blocker, blocked) in [(me, newcomer), (newcomer, me)] {
        done(world.does(blocker, block(blocked)).await);
        assert_eq!(world.handles(Some(me), "newcomer").await, Vec::<String>::new());
        assert_eq!(world.handles(None, "newcomer").await, ["newcomer"]);
    }
}

async fn found_id(world: &World, handle: &str) -> UserId {
    let found = Search::people(&world.store, None, &Query::parse(handle).unwrap(), None, 1).await.unwrap();
    found.people[0].user.id
}

#[tokio::test]
async fn people_come_page_by_page_and_no_more_than_two_hundred() {
    let world = World::new().await;
    for nth in 0..210 {
        world.sign_up(&format!("zoe{nth}")).await;
    }
    world.is_indexed().await;
    let (mut found, mut before) = (std::collections::BTreeSet::new(), None);
    loop {
        let page = Search::people(&world.store, None, &Query::parse("zoe").unwrap(), before, 60).await.unwrap();
        found.extend(page.people.into_iter().map(|found| found.user.id));
        match page.next {
            Some(next) => before = Some(next.seq),
            None => break,
        }
    }
    assert_eq!(found.len(), 200);
}

#[tokio::test]
async fn tags_are_counted_by_the_public_posts_that_have_them_now() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let first = world.post(ann, "#Birds #birthday").await;
    world.post(ann, "#birds and #bees").await;
    done(world.does(ann, post_for(PostId(Uuid::now_v7()), "#birch", Visibility::Followers)).await);
    let tag = |name: &str, posts| (name.to_owned(), posts);
    assert_eq!(world.tags("#BIR").await, [tag("birds", 2), tag("birthday", 1)], "not what only followers see");
    assert_eq!(world.tags("").await, [tag("birds", 2), tag("bees", 1), tag("birthday", 1)]);
    done(world.does(ann, edit(first, "#bees now", None)).await);
    assert_eq!(world.tags("b").await, [tag("bees", 2), tag("birds", 1)]);
    done(world.does(ann, edit_for(first, "#bees now", Some(Visibility::Private), None)).await);
    assert_eq!(world.tags("bee").await, [tag("bees", 1)]);
    done(world.does(ann, Act::PostDelete { id: first }).await);
    assert_eq!(world.tags("be").await, [tag("bees", 1)]);
}

#[tokio::test]
async fn who_may_be_meant_is_near_first() {
    let world = World::new().await;
    let [ann, bob, cara, dan, eve] = [
        world.sign_up("ann").await,
        world.sign_up("bob").await,
        world.sign_up("cara").await,
        world.sign_up("dan").await,
        world.sign_up("eve").await,
    ];
    let post = world.post(ann, "hello").await;
    world.comment(cara, post, None, "one").await;
    done(world.does(bob, Act::Follow { whom: dan }).await);
    assert_eq!(world.suggests(bob, "", Some(post)).await.unwrap(), ["ann", "cara", "dan"]);
    assert_eq!(world.suggests(bob, "", None).await.unwrap(), ["dan"]);
    assert_eq!(world.suggests(bob, "@e", Some(post)).await.unwrap(), ["eve"]);
    assert_eq!(world.suggests(bob, "da", Some(post)).await.unwrap(), ["dan"]);
    assert_eq!(world.suggests(bob, "the", Some(post)).await.unwrap().len(), 4, "all others are called The something");
    done(world.does(eve, block(bob)).await);
    assert_eq!(world.suggests(bob, "e", None).await.unwrap(), Vec::<String>::new());
    let secret = PostId(Uuid::now_v7());
    done(world.does(ann, post_for(secret, "between us", Visibility::Followers)).await);
    assert_eq!(world.suggests(bob, "", Some(secret)).await, None);
}

/// Two nodes that take in the same at once do it once; what is edited meanwhile is taken in again.
#[tokio::test]
async fn two_nodes_take_everything_in_once() {
    let world = World::new().await;
    let other = world.another_node();
    let ann = world.sign_up("ann").await;
    for nth in 0..30 {
        world.post(ann, &format!("#tag number {nth}")).await;
        let (one, two) = tokio::join!(world.store.index_some(), other.index_some());
        one.unwrap();
        two.unwrap();
    }
    assert_eq!(world.tags("tag").await, [("tag".to_owned(), 30)]);
    assert_eq!(world.finds(None, "number").await.len(), 30);
}

/// A ranked view stands still while it is read, on any node, and holds nothing that its reader may not see by then (P5).
#[tokio::test]
async fn a_ranking_stands_still_and_is_shared_by_all_nodes() {
    let world = World::new().await;
    let other = world.another_node();
    let [ann, bob, cara] = [world.sign_up("ann").await, world.sign_up("bob").await, world.sign_up("cara").await];
    let mut posts = Vec::new();
    for nth in 0..6 {
        posts.push(world.post(if nth == 3 { cara } else { ann }, &format!("post {nth}")).await);
    }
    let like = |post| Act::Deed(Deed::React { post, emoji: Emoji::Like });
    // The more the later: 1, 2, 3 and 4 times something; 0 has nothing, and 5 is for fewer.
    for (nth, post) in posts.iter().enumerate().take(5) {
        for _ in 0..nth {
            world.comment(bob, *post, None, "well").await;
        }
    }
    done(world.does(bob, like(posts[2])).await);
    done(world.does(bob, like(posts[5])).await);
    done(world.does(ann, edit_for(posts[5], "for fewer", Some(Visibility::Followers), None)).await);
    let ids = |page: &PostsPage| page.posts.iter().map(|post| post.id).collect::<Vec<_>>();
    let first = world.store.top(None, Span::Day, None, 2).await.unwrap().unwrap();
    assert_eq!(ids(&first), [posts[4], posts[3]]);
    // Everything is turned upside down meanwhile, and some of it goes.
    for _ in 0..9 {
        world.comment(bob, posts[1], None, "more").await;
    }
    done(world.does(ann, Act::PostDelete { id: posts[2] }).await);
    let rest = other.top(None, Span::Day, first.next.map(|next| next.seq), 2).await.unwrap().unwrap();
    assert_eq!((ids(&rest), rest.next), (vec![posts[1]], None), "the place it had, on another node");
    done(world.does(bob, mute(cara)).await);
    let his = world.store.top(Some(bob), Span::Day, None, 9).await.unwrap().unwrap();
    assert_eq!(ids(&his), [posts[4], posts[1]], "the same ranking without whom he hides");
    world.database.psql("update rankings set made_ms = made_ms - 61000").unwrap();
    let anew = other.top(None, Span::Day, None, 1).await.unwrap().unwrap();
    assert_eq!(ids(&anew), [posts[1]], "a minute later");
    world.database.psql("update rankings set made_ms = made_ms - 901000").unwrap();
    other.top(None, Span::Day, None, 1).await.unwrap().unwrap();
    let gone = other.top(None, Span::Day, first.next.map(|next| next.seq), 2).await.unwrap();
    assert_eq!(gone, None, "not kept any more");
    world.database.psql("update posts set created_ms = created_ms - 2 * 86400000").unwrap();
    world.database.psql("update rankings set made_ms = made_ms - 301000").unwrap();
    assert!(
        other.top(None, Span::Day, None, 9).await.unwrap().unwrap().posts.is_empty(),
        "of the day before yesterday"
    );
    assert_eq!(other.top(None, Span::Week, None, 9).await.unwrap().unwrap().posts.len(), 3);
}

/// Of many who ask at once for what is not there, one makes it.
#[tokio::test]
async fn a_ranking_is_made_once_however_many_ask() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let post = world.post(ann, "hello").await;
    world.comment(ann, post, None, "well").await;
    let asks = (0..6).map(|_| world.store.top(None, Span::Week, None, 9));
    for page in futures_util::future::join_all(asks).await {
        assert_eq!(page.unwrap().unwrap().posts.len(), 1);
    }
    assert_eq!(world.database.psql("select count(*) from rankings").unwrap().trim(), "1");
}
