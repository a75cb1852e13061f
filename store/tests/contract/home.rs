//! `home` by both of its ways: from the newest posts of everybody where one's circle writes often, and by a merge of each author's where it
//! does not. Both against a plain list. And many look-ups of viewers at once, each with the answer that is theirs.

use tidings_actors::command::{Act, Command};
use tidings_actors::ports::{Reads, Viewer};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, SessionId, UserId};
use uuid::Uuid;

use crate::world::{World, done, edit, post};

/// Few enough for a batch.
const CHATTY: usize = 12;
const ROUNDS: usize = 12;
const PAGE: u16 = 7;

/// Pages through somebody's `home` to its end.
async fn leafs_through(world: &World, viewer: UserId) -> Vec<PostId> {
    let first = world.store.snapshot(Some(viewer), FeedName::Home, PAGE).await.unwrap().unwrap();
    let (mut posts, mut next) = (first.posts.unwrap(), first.next);
    while let Some(cursor) = next {
        let page = world.store.posts_page(Some(viewer), FeedName::Home, Some(cursor.seq), PAGE).await.unwrap().unwrap();
        posts.extend(page.posts);
        next = page.next;
    }
    assert!(posts.is_sorted_by(|newer, older| newer.seq > older.seq));
    posts.into_iter().map(|post| post.id).collect()
}

#[tokio::test]
async fn home_is_the_same_whether_the_circle_writes_often_or_seldom() {
    let world = World::new().await;
    let mut chatty = Vec::new();
    for nth in 0..CHATTY {
        chatty.push(world.sign_up(&format!("chatty{nth}")).await);
    }
    let (rare, silent) = (world.sign_up("rare").await, world.sign_up("silent").await);
    // Posts in the order of the journal.
    let mut all: Vec<(UserId, PostId)> = Vec::new();
    for round in 0..ROUNDS {
        let mut authors = chatty.clone();
        authors.extend((round % 4 == 0).then_some(rare));
        let ids: Vec<PostId> = authors.iter().map(|_| PostId(Uuid::now_v7())).collect();
        let command = |(&actor, &id)| Command { actor, act: post(id, &round.to_string()) };
        let commands: Vec<Command> = authors.iter().zip(&ids).map(command).collect();
        world.commit(&commands).await.into_iter().for_each(|outcome| drop(done(outcome)));
        all.extend(authors.into_iter().zip(ids));
    }
    let (half, one) = (chatty[..CHATTY / 2].to_vec(), vec![chatty[0]]);
    let circles = [chatty.clone(), half, one, vec![rare], vec![silent], vec![rare, silent, chatty[1]], Vec::new()];
    let mut viewers = Vec::new();
    for (nth, circle) in circles.iter().enumerate() {
        let viewer = world.sign_up(&format!("viewer{nth}")).await;
        for &whom in circle {
            done(world.does(viewer, Act::Follow { whom }).await);
        }
        // Somebody one followed once.
        done(world.does(viewer, Act::Follow { whom: viewers.last().map_or(silent, |&(_, last)| last) }).await);
        viewers.push((circle, viewer));
    }
    // What is gone or changed, among the newest and the oldest.
    for at in [all.len() - 3, all.len() / 2, 5, 0] {
        done(world.does(all[at].0, Act::PostDelete { id: all[at].1 }).await);
        done(world.does(all[at + 1].0, edit(all[at + 1].1, "changed", None)).await);
        all.remove(at);
    }
    for (circle, viewer) in viewers {
        let of_circle = all.iter().rev().filter(|(author, _)| circle.contains(author));
        let expected: Vec<PostId> = of_circle.map(|&(_, id)| id).collect();
        assert_eq!(leafs_through(&world, viewer).await, expected, "who follows {}", circle.len());
    }
}

#[tokio::test]
async fn many_viewers_at_once_each_get_their_own_answer() {
    let world = World::new().await;
    let mut asked: Vec<(UserId, SessionId, Option<UserId>)> = Vec::new();
    let mut last = None;
    for nth in 0..20_u8 {
        let user = world.sign_up(&format!("user{nth}")).await;
        let session = world.log_in(user, nth).await;
        if let Some(whom) = last {
            done(world.does(user, Act::Follow { whom }).await);
        }
        asked.push((user, session, last));
        last = Some(user);
    }
    let (ended, ended_session, _) = asked[3];
    done(world.does(ended, Act::SessionRevoke { session: Some(ended_session) }).await);
    // The same ones often, strangers, and log-ins of somebody else in between.
    let ghost = UserId(Uuid::now_v7());
    let head = world.head().await;
    let questions: Vec<(UserId, SessionId)> = (0..300)
        .map(|nth| match nth % 23 {
            20 => (ghost, asked[0].1),
            21 | 22 => (asked[nth % 20].0, asked[(nth + 1) % 20].1),
            at => (asked[at].0, asked[at].1),
        })
        .collect();
    let store = &world.store;
    let ask = |&(user, session)| async move { store.viewer(user, session).await.unwrap() };
    let answers: Vec<Option<Viewer>> = futures_util::future::join_all(questions.iter().map(ask)).await;
    for ((user, session), answer) in questions.into_iter().zip(answers) {
        let Some(&(_, own, follows)) = asked.iter().find(|(known, ..)| *known == user) else {
            assert!(answer.is_none(), "nobody knows {user:?}");
            continue;
        };
        let viewer = answer.unwrap();
        assert_eq!((viewer.user.id, viewer.seq), (user, head));
        assert_eq!(viewer.follows, Vec::from_iter(follows));
        assert_eq!(viewer.session_live, session == own && user != ended);
    }
}
