//! What people do next, by dice: a graph of follows, blocks and mutes that never rests, posts for everybody and for few, and comments under them.
//! Must never look at the truth: what the server refuses is not done.

use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};
use tidings_protocol::entity::Visibility;
use tidings_protocol::ids::{CommentId, ListId, PostId, UserId};
use tidings_protocol::marks::Emoji;
use uuid::Uuid;

use super::deed::Deed;

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
    /// What moderators have done, and may take back.
    pub hidden: Vec<Hidden>,
    pub suspended: Vec<UserId>,
}

/// Something that a moderator has hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    Post(PostId),
    Comment(CommentId),
}

impl Things {
    pub fn notes_hidden(&mut self, what: Hidden, on: bool) {
        self.hidden.retain(|known| *known != what);
        self.hidden.extend(on.then_some(what));
    }
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
        23..30 => edit(dice, who, things).unwrap_or_else(|| post(dice, who, things)),
        30..34 => delete(dice, who, things).unwrap_or_else(|| post(dice, who, things)),
        34..52 => comment(dice, who, things).unwrap_or_else(|| post(dice, who, things)),
        55..60 => {
            let method = if on { "list.add" } else { "list.remove" };
            let params = json!({ "id": ListId(who.0), "user": whom });
            Wish { method, params, deed: Deed::Enlist { who, whom, on } }
        }
        52..55 => delete_comment(dice, who, things).unwrap_or_else(|| post(dice, who, things)),
        60..70 => react(dice, who, things).unwrap_or_else(|| post(dice, who, things)),
        70..76 => hand_on(dice, who, things).unwrap_or_else(|| post(dice, who, things)),
        _ => post(dice, who, things),
    }
}

/// What a moderator wishes next.
pub fn moderation(dice: &mut SmallRng, things: &Things) -> Option<Wish> {
    let act = |action: &str, about: &Value, deed: Deed| {
        let mut params = json!({ "id": Uuid::now_v7(), "action": action, "reason": "other" });
        params.as_object_mut()?.extend(about.as_object()?.clone());
        Some(Wish { method: "mod.act", params, deed })
    };
    let recently = recent(dice, &things.posts, 12)?.0;
    match dice.random_range(0..100) {
        0..22 => act("hide", &json!({ "post": recently }), Deed::Hide { id: recently, on: true }),
        22..38 => {
            let (id, ..) = recent(dice, &things.comments, 12)?;
            act("hide", &json!({ "comment": id }), Deed::HideComment { id, on: true })
        }
        38..66 => match recent(dice, &things.hidden, 8)? {
            Hidden::Post(id) => act("unhide", &json!({ "post": id }), Deed::Hide { id, on: false }),
            Hidden::Comment(id) => act("unhide", &json!({ "comment": id }), Deed::HideComment { id, on: false }),
        },
        66..71 => act("delete", &json!({ "post": recently }), Deed::Delete { id: recently }),
        71..76 => {
            let (id, ..) = recent(dice, &things.comments, 12)?;
            act("delete", &json!({ "comment": id }), Deed::DeleteComment { id })
        }
        76..80 => {
            let (id, ..) = recent(dice, &things.comments, 12)?;
            Some(Wish { method: "comment.delete", params: json!({ "id": id }), deed: Deed::DeleteComment { id } })
        }
        80..87 => {
            let (whom, _) = *things.people.choose(dice)?;
            act("suspend", &json!({ "user": whom }), Deed::Suspend { whom, on: true })
        }
        _ => {
            let whom = *things.suspended.choose(dice)?;
            act("reinstate", &json!({ "user": whom }), Deed::Suspend { whom, on: false })
        }
    }
}

fn react(dice: &mut SmallRng, who: UserId, things: &Things) -> Option<Wish> {
    let (post, _) = recent(dice, &things.posts, 12)?;
    let emoji = dice.random_bool(0.7).then(|| *Emoji::ALL.choose(dice).expect("some"));
    let (method, params) = match emoji {
        Some(emoji) => ("post.react", json!({ "id": post, "emoji": emoji })),
        None => ("post.unreact", json!({ "id": post })),
    };
    Some(Wish { method, params, deed: Deed::React { who, post, emoji } })
}

/// Without words of their own, or with.
fn hand_on(dice: &mut SmallRng, author: UserId, things: &Things) -> Option<Wish> {
    let (of, _) = recent(dice, &things.posts, 12)?;
    let (id, visibility) = (PostId(Uuid::now_v7()), visibility(dice));
    let text = if dice.random_bool(0.5) { text(dice, things) } else { String::new() };
    let mut params = json!({ "id": id, "of": of, "visibility": visibility });
    if !text.is_empty() {
        params["text"] = json!(text);
    }
    let deed = Deed::Post { id, author, text, visibility, of: Some(of) };
    Some(Wish { method: "post.create", params, deed })
}

fn tie(method: &'static str, whom: UserId, deed: Deed) -> Wish {
    Wish { method, params: json!({ "id": whom }), deed }
}

fn post(dice: &mut SmallRng, author: UserId, things: &Things) -> Wish {
    let (id, text, visibility) = (PostId(Uuid::now_v7()), text(dice, things), visibility(dice));
    let params = json!({ "id": id, "text": text, "visibility": visibility });
    Wish { method: "post.create", params, deed: Deed::Post { id, author, text, visibility, of: None } }
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
    Some(Wish { method: "comment.create", params, deed: Deed::Comment { id, post, parent, author, text } })
}

fn delete_comment(dice: &mut SmallRng, who: UserId, things: &Things) -> Option<Wish> {
    let own: Vec<CommentId> =
        things.comments.iter().filter(|(_, _, author)| *author == who).map(|(id, ..)| *id).collect();
    let id = recent(dice, &own, 8)?;
    Some(Wish { method: "comment.delete", params: json!({ "id": id }), deed: Deed::DeleteComment { id } })
}
