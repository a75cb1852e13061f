//! The table itself: each method and what it is asked about, and what everybody is answered.

use serde_json::{Value, json};
use tidings_protocol::entity::Visibility;
use uuid::Uuid;

use super::{About, COLUMNS, Row, Things};

pub const OK: &str = "ok";
const WHO: &str = "unauthorized";
pub const NO: &str = "forbidden";
const NONE: &str = "not_found";
const BAD: &str = "bad_credentials";

/// Whoever is logged in; who is suspended may as well.
const EVERYBODY: [&str; 9] = [OK; 9];
const LOGGED_IN: [&str; 9] = [WHO, OK, OK, OK, OK, OK, OK, OK, OK];
/// Whoever is logged in and not suspended.
const ACTIVE: [&str; 9] = [WHO, OK, OK, OK, OK, OK, OK, OK, NO];
/// Whoever is not blocked by ann.
const NOT_BLOCKED: [&str; 9] = [OK, OK, OK, NONE, OK, OK, OK, OK, OK];
/// The same, logged in and not suspended.
const ACTIVE_NOT_BLOCKED: [&str; 9] = [WHO, OK, OK, NONE, OK, OK, OK, OK, NO];
/// Ann and who follows her.
const CIRCLE: [&str; 9] = [NONE, NONE, OK, NONE, NONE, OK, NONE, NONE, NONE];
/// The same, for what changes something.
const ACTIVE_CIRCLE: [&str; 9] = [WHO, NONE, OK, NONE, NONE, OK, NONE, NONE, NO];
/// Whoever is logged in and knows their password: these do not.
const WITH_PASSWORD: [&str; 9] = [WHO, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD];
/// Whoever looks after what others write.
const MODERATORS: [&str; 9] = [WHO, NO, NO, NO, NO, NO, OK, OK, NO];
const ADMINS: [&str; 9] = [WHO, NO, NO, NO, NO, NO, NO, OK, NO];
const OWNER: [&str; 9] = [NONE, NONE, NONE, NONE, NONE, OK, NONE, NONE, NONE];

/// What is ann's alone, whatever anybody's role.
const ANNS: [&str; 9] = [WHO, NONE, NONE, NONE, NONE, OK, NONE, NONE, NONE];

fn row(method: &'static str, about: About, params: fn(&Things) -> Value, answers: [&'static str; 9]) -> Row {
    Row { method, about, params, answers }
}

fn a_name() -> String {
    format!("b{}", &Uuid::now_v7().simple().to_string()[6..])
}

fn of_post(things: &Things) -> Value {
    json!({ "id": things.post })
}

fn with(mut params: Value, more: &Value) -> Value {
    let more = more.as_object().cloned().unwrap_or_default();
    params.as_object_mut().expect("parameters").extend(more);
    params
}

pub fn report(about: &Value) -> Value {
    with(json!({ "id": Uuid::now_v7(), "reason": "other" }), about)
}

pub fn action(action: &str, about: &Value) -> Value {
    with(json!({ "id": Uuid::now_v7(), "action": action, "reason": "other" }), about)
}

#[expect(clippy::too_many_lines, reason = "it is the table")]
pub fn rows() -> Vec<Row> {
    use About::{
        Action, Ann, Appeal, Asking, Bystander, Case, List, LogIn, NewFilter, NewList, Nothing, Picture, Post, Under,
    };
    use Visibility::{Followers, Private, Public};
    vec![
        row("auth.refresh", Nothing, |things| json!({ "token": things.token }), [NO, OK, OK, OK, OK, OK, OK, OK, OK]),
        row(
            "account.password",
            Nothing,
            |_| json!({ "current": "not it at all", "new": "quite another password" }),
            WITH_PASSWORD,
        ),
        row(
            "account.email",
            Nothing,
            |_| json!({ "password": "not it at all", "email": "x@example.org" }),
            WITH_PASSWORD,
        ),
        row("account.get", Nothing, |_| json!({}), LOGGED_IN),
        row("account.export", Nothing, |_| json!({}), LOGGED_IN),
        row("account.delete", Nothing, |_| json!({ "password": "not it at all" }), WITH_PASSWORD),
        row("session.list", Nothing, |_| json!({}), LOGGED_IN),
        // Another's log-in does not exist for anybody else, whatever their role.
        row("session.revoke", LogIn, |things| json!({ "id": things.log_in }), {
            [WHO, NONE, NONE, NONE, NONE, OK, NONE, NONE, NONE]
        }),
        row("session.revoke_others", Nothing, |_| json!({}), LOGGED_IN),
        // One for each, and no more than five: stopped at once where it is their own.
        row("bot.create", Nothing, |_| json!({ "id": Uuid::now_v7(), "handle": a_name(), "name": "Bot" }), ACTIVE),
        row("bot.all", Nothing, |_| json!({}), LOGGED_IN),
        row("bot.delete", Bystander, |things| json!({ "id": things.bystander }), {
            [WHO, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE]
        }),
        row("token.create", Nothing, |_| json!({ "name": "p", "scopes": ["read"] }), {
            [WHO, OK, OK, OK, OK, OK, OK, OK, NO]
        }),
        row("token.all", Nothing, |_| json!({}), LOGGED_IN),
        row("token.revoke", Picture, |_| json!({ "id": Uuid::now_v7() }), {
            [WHO, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE]
        }),
        row("user.get", Ann, |things| json!({ "id": things.ann }), NOT_BLOCKED),
        row("user.update", Nothing, |_| json!({ "name": format!("N {}", Uuid::now_v7()) }), ACTIVE),
        row("user.follow", Bystander, |things| json!({ "id": things.bystander }), ACTIVE),
        row("user.unfollow", Bystander, |things| json!({ "id": things.bystander }), LOGGED_IN),
        row("user.mute", Bystander, |things| json!({ "id": things.bystander }), ACTIVE),
        row("user.unmute", Bystander, |things| json!({ "id": things.bystander }), LOGGED_IN),
        row("user.block", Bystander, |things| json!({ "id": things.bystander }), ACTIVE),
        row("user.unblock", Bystander, |things| json!({ "id": things.bystander }), LOGGED_IN),
        row("user.remove_follower", Bystander, |things| json!({ "id": things.bystander }), LOGGED_IN),
        row("request.page", Nothing, |_| json!({}), LOGGED_IN),
        row("request.accept", Asking, |things| json!({ "id": things.bystander }), {
            [WHO, NONE, NONE, NONE, NONE, OK, NONE, NONE, NO]
        }),
        // Nobody has asked the others: that is so already.
        row("request.reject", Asking, |things| json!({ "id": things.bystander }), LOGGED_IN),
        row("list.create", Nothing, |_| json!({ "id": Uuid::now_v7(), "name": "a list" }), LOGGED_IN),
        row("list.update", List, |things| json!({ "id": things.chosen, "name": "a name" }), ANNS),
        row("list.add", List, |things| json!({ "id": things.chosen, "user": things.bystander }), ANNS),
        row("list.remove", List, |things| json!({ "id": things.chosen, "user": things.bystander }), ANNS),
        row("list.members", List, |things| json!({ "id": things.chosen }), ANNS),
        row("list.all", Nothing, |_| json!({}), LOGGED_IN),
        row("list.delete", NewList, |things| json!({ "id": things.chosen }), ANNS),
        row("filter.put", Nothing, |_| json!({ "id": Uuid::now_v7(), "phrase": "a phrase" }), LOGGED_IN),
        row("filter.delete", NewFilter, |things| json!({ "id": things.chosen }), ANNS),
        row("filter.all", Nothing, |_| json!({}), LOGGED_IN),
        row("feed.page", List, |things| json!({ "feed": format!("list:{}", things.chosen) }), ANNS),
        row("feed.subscribe", List, |things| json!({ "feed": format!("list:{}", things.chosen) }), ANNS),
        row("post.create", Nothing, |_| json!({ "id": Uuid::now_v7(), "text": "a text" }), ACTIVE),
        // Handing on what one may see; what is not for everybody is not handed on by anybody.
        row(
            "post.create",
            Post(Public),
            |things| json!({ "id": Uuid::now_v7(), "of": things.post }),
            ACTIVE_NOT_BLOCKED,
        ),
        row("post.create", Post(Followers), |things| json!({ "id": Uuid::now_v7(), "of": things.post }), {
            [WHO, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NO]
        }),
        // Nobody shows a picture that is not their own, nor wears one.
        row("post.create", Picture, |_| json!({ "id": Uuid::now_v7(), "media": [{ "id": Uuid::now_v7() }] }), {
            [WHO, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NO]
        }),
        row("user.update", Picture, |_| json!({ "avatar": Uuid::now_v7() }), {
            [WHO, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NO]
        }),
        row("post.get", Post(Public), of_post, NOT_BLOCKED),
        row("post.get", Post(Followers), of_post, CIRCLE),
        row("post.get", Post(Private), of_post, OWNER),
        row("post.history", Post(Public), of_post, NOT_BLOCKED),
        row("post.history", Post(Followers), of_post, CIRCLE),
        row("post.history", Post(Private), of_post, OWNER),
        // What one may not see is left out of the answer: see below.
        row("post.stats", Post(Private), |things| json!({ "ids": [things.post] }), EVERYBODY),
        row("post.update", Post(Public), |things| json!({ "id": things.post, "text": "changed" }), {
            [WHO, NO, NO, NONE, NO, OK, NO, NO, NO]
        }),
        row("post.update", Post(Followers), |things| json!({ "id": things.post, "text": "changed" }), {
            [WHO, NONE, NO, NONE, NONE, OK, NONE, NONE, NO]
        }),
        row("post.delete", Post(Public), of_post, [WHO, NO, NO, NONE, NO, OK, OK, OK, NO]),
        row("post.react", Post(Public), |things| json!({ "id": things.post, "emoji": "like" }), ACTIVE_NOT_BLOCKED),
        row("post.react", Post(Followers), |things| json!({ "id": things.post, "emoji": "like" }), ACTIVE_CIRCLE),
        row("post.bookmark", Post(Public), of_post, ACTIVE_NOT_BLOCKED),
        row("post.bookmark", Post(Followers), of_post, ACTIVE_CIRCLE),
        // Taking back what was never there, and what one may see no longer.
        row("post.unreact", Post(Private), of_post, LOGGED_IN),
        row("post.unbookmark", Post(Private), of_post, LOGGED_IN),
        row("post.pin", Post(Public), of_post, [WHO, NO, NO, NONE, NO, OK, NO, NO, NO]),
        row("post.unpin", Post(Public), of_post, [WHO, NO, NO, NONE, NO, OK, NO, NO, NO]),
        row(
            "typing.send",
            Post(Public),
            |things| json!({ "post": things.post }),
            [WHO, NO, NO, NO, NO, NO, NO, NO, NO],
        ),
        row("bookmark.page", Nothing, |_| json!({}), LOGGED_IN),
        row(
            "comment.create",
            Under(Public),
            |things| json!({ "id": Uuid::now_v7(), "post": things.post, "text": "x" }),
            ACTIVE_NOT_BLOCKED,
        ),
        row(
            "comment.create",
            Under(Followers),
            |things| json!({ "id": Uuid::now_v7(), "post": things.post, "text": "x" }),
            ACTIVE_CIRCLE,
        ),
        row("comment.update", About::Comment, |things| json!({ "id": things.comment, "text": "changed" }), {
            [WHO, NO, NO, NO, NO, OK, NO, NO, NO]
        }),
        row("comment.delete", About::Comment, |things| json!({ "id": things.comment }), {
            [WHO, NO, NO, NO, NO, OK, OK, OK, NO]
        }),
        row("post.lock", Post(Public), of_post, [WHO, NO, NO, NONE, NO, OK, OK, OK, NO]),
        row("post.lock", Post(Followers), of_post, [WHO, NONE, NO, NONE, NONE, OK, NONE, NONE, NONE]),
        row("post.unlock", Post(Public), of_post, [WHO, NO, NO, NONE, NO, OK, OK, OK, NO]),
        row("post.slow", Post(Public), |things| json!({ "id": things.post, "seconds": 60 }), {
            [WHO, NO, NO, NONE, NO, OK, OK, OK, NO]
        }),
        row("post.comments", Post(Public), |things| json!({ "id": things.post, "comments": "nobody" }), {
            [WHO, NO, NO, NONE, NO, OK, NO, NO, NO]
        }),
        // Folding away is the affair of who wrote the post, whoever wrote the comment.
        row("comment.hide", About::Comment, |things| json!({ "id": things.comment }), {
            [WHO, NO, NO, NONE, NO, OK, NO, NO, NO]
        }),
        row("comment.unhide", About::Comment, |things| json!({ "id": things.comment }), {
            [WHO, NO, NO, NONE, NO, OK, NO, NO, NO]
        }),
        row(
            "comment.page",
            About::Comment,
            |things| json!({ "post": things.post, "parent": things.comment }),
            NOT_BLOCKED,
        ),
        row("comment.page", Under(Public), |things| json!({ "post": things.post }), NOT_BLOCKED),
        row("comment.page", Under(Followers), |things| json!({ "post": things.post }), CIRCLE),
        row("feed.page", Nothing, |_| json!({ "feed": "home" }), LOGGED_IN),
        row("feed.page", Nothing, |_| json!({ "feed": "global" }), EVERYBODY),
        row("feed.page", Nothing, |_| json!({ "feed": "tag:any" }), EVERYBODY),
        row("feed.page", Nothing, |_| json!({ "feed": "top:day" }), EVERYBODY),
        row("feed.page", Nothing, |_| json!({ "feed": "top:week" }), EVERYBODY),
        row("feed.page", Ann, |things| json!({ "feed": format!("user:{}", things.ann) }), NOT_BLOCKED),
        row("feed.subscribe", Nothing, |_| json!({ "feed": "home" }), LOGGED_IN),
        row("feed.subscribe", Nothing, |_| json!({ "feed": "me" }), LOGGED_IN),
        row("feed.subscribe", Nothing, |_| json!({ "feed": "notifications" }), LOGGED_IN),
        row("feed.subscribe", Nothing, |_| json!({ "feed": "global" }), EVERYBODY),
        row("feed.subscribe", Nothing, |_| json!({ "feed": "tag:any" }), EVERYBODY),
        row("feed.subscribe", Ann, |things| json!({ "feed": format!("user:{}", things.ann) }), NOT_BLOCKED),
        row("feed.subscribe", Post(Public), |things| json!({ "feed": format!("post:{}", things.post) }), NOT_BLOCKED),
        row("feed.subscribe", Post(Followers), |things| json!({ "feed": format!("post:{}", things.post) }), CIRCLE),
        row("feed.subscribe", Post(Private), |things| json!({ "feed": format!("post:{}", things.post) }), OWNER),
        // Of a feed that is not watched: see the conversations about modes.
        row("feed.mode", Nothing, |_| json!({ "feed": "tag:none", "mode": "off" }), [NONE; COLUMNS.len()]),
        // Only for programs that have leave: see below.
        row("feed.subscribe", Nothing, |_| json!({ "feed": "firehose" }), [WHO, NO, NO, NO, NO, NO, NO, NO, NO]),
        row("feed.unsubscribe", Nothing, |_| json!({ "feed": "global" }), EVERYBODY),
        // What one may not see is not found: see the conversations about searching.
        row("search.people", Nothing, |_| json!({ "query": "owner" }), EVERYBODY),
        row("search.posts", Nothing, |_| json!({ "query": "ann's" }), EVERYBODY),
        row("search.tags", Nothing, |_| json!({ "prefix": "a" }), EVERYBODY),
        row("mention.suggest", Nothing, |_| json!({ "prefix": "own" }), LOGGED_IN),
        row("mention.suggest", Post(Public), |things| json!({ "prefix": "", "post": things.post }), {
            [WHO, OK, OK, NONE, OK, OK, OK, OK, OK]
        }),
        row("mention.suggest", Post(Followers), |things| json!({ "prefix": "", "post": things.post }), {
            [WHO, NONE, OK, NONE, NONE, OK, NONE, NONE, NONE]
        }),
        row("presence.watch", Bystander, |things| json!({ "ids": [things.bystander] }), LOGGED_IN),
        row("presence.set", Nothing, |_| json!({ "status": "idle" }), LOGGED_IN),
        row("notification.page", Nothing, |_| json!({}), LOGGED_IN),
        row("notification.seen", Nothing, |_| json!({ "up_to": 1 }), LOGGED_IN),
        row("notification.read", Nothing, |_| json!({ "up_to": 1 }), LOGGED_IN),
        row("marker.set", Nothing, |_| json!({ "feed": "global", "seq": 1 }), LOGGED_IN),
        row("settings.update", Nothing, |_| json!({ "theme": "dark" }), LOGGED_IN),
        row("draft.put", Nothing, |_| json!({ "id": Uuid::now_v7(), "text": "a draft" }), LOGGED_IN),
        // What is not there is deleted already; nobody learns whether it is somebody else's.
        row("draft.delete", Nothing, |_| json!({ "id": Uuid::now_v7() }), LOGGED_IN),
        row("draft.page", Nothing, |_| json!({}), LOGGED_IN),
        row("notify.preferences", Nothing, |_| json!({ "follow": "followed" }), ACTIVE),
        row(
            "media.ticket",
            Picture,
            |_| json!({ "id": Uuid::now_v7(), "kind": "image", "type": "image/png", "bytes": 1000 }),
            LOGGED_IN,
        ),
        row("report.create", Post(Public), |things| report(&json!({ "post": things.post })), {
            [WHO, OK, OK, NONE, OK, "invalid", OK, OK, NO]
        }),
        row("report.create", Post(Followers), |things| report(&json!({ "post": things.post })), {
            [WHO, NONE, OK, NONE, NONE, "invalid", NONE, NONE, NO]
        }),
        row("report.create", About::Comment, |things| report(&json!({ "comment": things.comment })), {
            [WHO, OK, OK, NONE, OK, "invalid", OK, OK, NO]
        }),
        row("report.create", Ann, |things| report(&json!({ "user": things.ann })), {
            [WHO, OK, OK, NONE, OK, "invalid", OK, OK, NO]
        }),
        row("report.page", Nothing, |_| json!({}), LOGGED_IN),
        row("account.actions", Nothing, |_| json!({}), LOGGED_IN),
        row("appeal.create", Action, |things| json!({ "action": things.matter, "text": "no" }), {
            [WHO, NONE, NONE, NONE, NONE, OK, NONE, NONE, NONE]
        }),
        row("appeal.settle", Appeal, |things| json!({ "action": things.matter, "accept": true }), MODERATORS),
        row("mod.page", Nothing, |_| json!({}), MODERATORS),
        row("mod.get", Case, |things| json!({ "id": things.matter }), MODERATORS),
        row("mod.claim", Case, |things| json!({ "id": things.matter }), MODERATORS),
        row("mod.settle", Case, |things| json!({ "id": things.matter }), MODERATORS),
        row("mod.act", Post(Public), |things| action("hide", &json!({ "post": things.post })), MODERATORS),
        row("mod.act", Post(Private), |things| action("delete", &json!({ "post": things.post })), MODERATORS),
        row("mod.act", Bystander, |things| action("warn", &json!({ "user": things.bystander })), MODERATORS),
        row("mod.role", Bystander, |things| json!({ "id": things.bystander, "role": "user" }), ADMINS),
        row("mod.log", Nothing, |_| json!({}), ADMINS),
        row("feed.subscribe", Nothing, |_| json!({ "feed": "mod" }), MODERATORS),
        row("media.get", Picture, |_| json!({ "id": Uuid::now_v7() }), [NONE; 9]),
        row(
            "media.delete",
            Picture,
            |_| json!({ "id": Uuid::now_v7() }),
            [WHO, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE],
        ),
    ]
}
