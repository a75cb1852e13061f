//! What people do next, by dice: a graph of follows, blocks and mutes that never rests, posts for everybody and for few, and comments under them.
//! Must never look at the truth: what the server refuses is not done.

use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};
use tidings_protocol::entity::Visibility;
use tidings_protocol::ids::{CommentId, ListId, PostId, UserId};
use uuid::Uuid;

use super::truth::Deed;

/// Words, tags and names that texts are made of.
const WORDS: [&str; 12] = [
    "bread", "rain", "orchard", "letter", "candle", "#rust", "#größe", "harbour", "winter", "#rain", "violin", "stairs",
];

/// What is there to be done something to.
#[derive(Debug, Default)]
pub struct Things {
    pub people: Vec<(UserId, String)>,
    pub posts: Vec<(PostId, UserId)>,
    pub comments: Vec<(CommentId, PostId, UserId)>,
}

/// A request, and what is done by it if it is not refused.
#[derive(Debug)]
pub struct Wish {
    pub method: &'static str,
    pub params: Value,
    pub deed: Deed,
}

fn text(dice: &mut SmallRng, things: &Things) -> String {
    let mut words: Vec<String> = Vec::new();
    for _ in 0..dice.random_range(2..6) {
        words.push((*WORDS.choose(dice).expect("words")).to_owned());
    }
    if dice.random_bool(0.3) {
        let (_, handle) = things.people.choose(dice).expect("people");
        words.push(format!("@{handle}"));
    }
    words.join(" ")
}

fn visibility(dice: &mut SmallRng) -> Visibility {
    match dice.random_range(0..10) {
        0..6 => Visibility::Public,
        6..8 => Visibility::Followers,
        8 => Visibility::Mentioned,
        _ => Visibility::Private,
    }
}

/// The newest are what people turn to.
fn recent<T: Copy>(dice: &mut SmallRng, all: &[T], most: usize) -> Option<T> {
    all[all.len().saturating_sub(most)..].choose(dice).copied()
}

/// What somebody wishes next.
pub fn wish(dice: &mut SmallRng, who: UserId, things: &Things) -> Wish {
    let others: Vec<UserId> = things.people.iter().map(|(id, _)| *id).filter(|id| *id != who).collect();
    let whom = *others.choose(dice).expect("others");
    let on = dice.random_bool(0.6);
    match dice.random_range(0..100) {
        0..12 => tie(if on { "user.follow" } else { "user.unfollow" }, whom, Deed::Follow { who, whom, on }),
        12..17 => tie(if on { "user.mute" } else { "user.unmute" }, whom, Deed::Mute { who, whom, on }),
        // As often ended as begun: a world in which all are apart is quiet.
        17..23 => {
            let on = dice.random_bool(0.4);
            tie(if on { "user.block" } else { "user.unblock" }, whom, Deed::Block { who, whom, on })
        }
        23..31 => edit(dice, who, things).unwrap_or_else(|| post(dice, who, things)),
        31..36 => delete(dice, who, things).unwrap_or_else(|| post(dice, who, things)),
        36..58 => comment(dice, who, things).unwrap_or_else(|| post(dice, who, things)),
        61..66 => {
            let method = if on { "list.add" } else { "list.remove" };
            let params = json!({ "id": ListId(who.0), "user": whom });
            Wish { method, params, deed: Deed::Enlist { who, whom, on } }
        }
        58..61 => delete_comment(dice, who, things).unwrap_or_else(|| post(dice, who, things)),
        _ => post(dice, who, things),
    }
}

fn tie(method: &'static str, whom: UserId, deed: Deed) -> Wish {
    Wish { method, params: json!({ "id": whom }), deed }
}

fn post(dice: &mut SmallRng, author: UserId, things: &Things) -> Wish {
    let (id, text, visibility) = (PostId(Uuid::now_v7()), text(dice, things), visibility(dice));
    let params = json!({ "id": id, "text": text, "visibility": visibility });
    Wish { method: "post.create", params, deed: Deed::Post { id, author, text, visibility } }
}

fn edit(dice: &mut SmallRng, who: UserId, things: &Things) -> Option<Wish> {
    let own: Vec<PostId> = things.posts.iter().filter(|(_, author)| *author == who).map(|(id, _)| *id).collect();
    let id = recent(dice, &own, 8)?;
    let (text, visibility) = (text(dice, things), visibility(dice));
    let params = json!({ "id": id, "text": text, "visibility": visibility });
    Some(Wish { method: "post.update", params, deed: Deed::Edit { id, text, visibility } })
}

fn delete(dice: &mut SmallRng, who: UserId, things: &Things) -> Option<Wish> {
    let own: Vec<PostId> = things.posts.iter().filter(|(_, author)| *author == who).map(|(id, _)| *id).collect();
    let id = recent(dice, &own, 8)?;
    Some(Wish { method: "post.delete", params: json!({ "id": id }), deed: Deed::Delete { id } })
}

fn comment(dice: &mut SmallRng, author: UserId, things: &Things) -> Option<Wish> {
    let (post, _) = recent(dice, &things.posts, 12)?;
    let answered: Vec<CommentId> =
        things.comments.iter().filter(|(_, under, _)| *under == post).map(|(id, ..)| *id).collect();
    let parent = if dice.random_bool(0.4) { recent(dice, &answered, 8) } else { None };
    let (id, text) = (CommentId(Uuid::now_v7()), text(dice, things));
    let params = json!({ "id": id, "post": post, "parent": parent, "text": text });
    Some(Wish { method: "comment.create", params, deed: Deed::Comment { id, post, author, text } })
}

fn delete_comment(dice: &mut SmallRng, who: UserId, things: &Things) -> Option<Wish> {
    let own: Vec<CommentId> =
        things.comments.iter().filter(|(_, _, author)| *author == who).map(|(id, ..)| *id).collect();
    let id = recent(dice, &own, 8)?;
    Some(Wish { method: "comment.delete", params: json!({ "id": id }), deed: Deed::DeleteComment { id } })
}
