//! The authorization matrix: what each kind of person is answered by each method, about each kind of thing. Nothing is allowed because nobody
//! thought of it: a method or a feed without a row fails, and each cell says what it must be.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tidings_actors::session::scopes::{NEEDS, Need};
use tidings_protocol::bots::Scope;
use tidings_protocol::entity::{Comment, Post, Visibility};
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName;
use tidings_protocol::reply::Snapshot;
use tidings_protocol::request::Method;
use uuid::Uuid;

use crate::person::Person;
use crate::world::{Plan, World};

/// Who asks, as they stand to ann, whose things are asked about.
const COLUMNS: [&str; 9] =
    ["anonymous", "stranger", "follower", "blocked", "muted", "owner", "moderator", "admin", "suspended"];

/// What a row asks about. Each question makes what it would use up anew.
#[derive(Clone, Copy, Debug)]
enum About {
    /// Nothing of anybody's.
    Nothing,
    /// A person nobody else here has to do with.
    Bystander,
    /// Ann herself.
    Ann,
    /// Ann's post for everybody, or for fewer.
    Post(Visibility),
    /// Ann's comment on her post for everybody.
    Comment,
    /// A comment on ann's post of this kind.
    Under(Visibility),
    /// A log-in of ann's.
    LogIn,
    /// A picture that nobody has asked for.
    Picture,
    /// A case: ann's post, reported.
    Case,
    /// What a moderator who is not among those who ask did about ann.
    Action,
    /// The same, and ann has appealed.
    Appeal,
    /// A bystander who asks to follow ann.
    Asking,
    /// A list of ann's.
    List,
    /// A list or filter of ann's that may go.
    NewList,
    NewFilter,
}

/// One line of the matrix: what is asked about what, with which parameters besides, and the answers in the order of [`COLUMNS`].
struct Row {
    method: &'static str,
    about: About,
    params: fn(&Things) -> Value,
    answers: [&'static str; 9],
}

/// What the questions are about, as far as they have been made.
struct Things {
    ann: Uuid,
    bystander: Uuid,
    post: Uuid,
    comment: Uuid,
    log_in: Uuid,
    /// A case or an action.
    matter: Uuid,
    chosen: Uuid,
    token: String,
}

const OK: &str = "ok";
const WHO: &str = "unauthorized";
const NO: &str = "forbidden";
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

fn report(about: &Value) -> Value {
    with(json!({ "id": Uuid::now_v7(), "reason": "other" }), about)
}

fn action(action: &str, about: &Value) -> Value {
    with(json!({ "id": Uuid::now_v7(), "action": action, "reason": "other" }), about)
}

#[expect(clippy::too_many_lines, reason = "it is the table")]
fn rows() -> Vec<Row> {
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

/// Everybody, each on a connection of their own; ann among them, in her column.
struct Cast {
    world: World,
    people: Vec<Person>,
    bystander: Person,
    /// A moderator who does not ask.
    warden: Person,
    host: Post,
    list: Uuid,
}

impl Cast {
    async fn gathers() -> Self {
        // The password is tried by everybody.
        let world = Plan::default().one_node().await;
        let mut people = vec![Person::anonymous()];
        people[0].connects(world.a(), &[]).await;
        for handle in &COLUMNS[1..] {
            people.push(Person::arrives(world.a(), handle, &[]).await);
        }
        let bystander = Person::arrives(world.a(), "bystander", &[]).await;
        let ids: Vec<_> = people[1..].iter().map(Person::id).collect();
        let [follower, blocked, muted, owner] = [ids[1], ids[2], ids[3], ids[4]];
        people[2].follows(owner).await;
        people[5].turns("user.block", blocked).await;
        people[5].turns("user.mute", muted).await;
        let warden = Person::arrives(world.a(), "warden", &[]).await;
        for (handle, role) in [("moderator", "moderator"), ("admin", "admin"), ("warden", "moderator")] {
            world.database.psql(&format!("select set_role('{handle}', '{role}')")).expect("a role");
        }
        world.database.psql("update users set standing = 1 where handle = 'suspended'").expect("suspended");
        assert_ne!(follower, owner);
        let host = people[5].posts("ann's").await;
        let list = Uuid::now_v7();
        let (made, asks) = (json!({ "id": list, "name": "close" }), json!({ "asks": true }));
        for (method, params) in [("list.create", made), ("user.update", asks)] {
            people[5].request::<Value>(method, params).await.expect("hers");
        }
        Self { world, people, bystander, warden, host, list }
    }

    fn owner(&mut self) -> &mut Person {
        &mut self.people[5]
    }

    /// Makes what a row asks about, anew.
    async fn things(&mut self, about: About, column: usize) -> Things {
        let mut things = Things {
            ann: self.people[5].id().0,
            bystander: self.bystander.id().0,
            post: self.host.id.0,
            comment: Uuid::nil(),
            log_in: Uuid::nil(),
            matter: Uuid::nil(),
            chosen: self.list,
            token: self.people[column].token().unwrap_or_else(|| self.bystander.token().expect("logged in")).to_owned(),
        };
        match about {
            About::Nothing | About::Ann | About::Bystander | About::Picture | About::List => {}
            // Only she is asked: a request anew for everybody would be too fast.
            About::Asking if COLUMNS[column] != "owner" => {}
            About::Asking => {
                let id = self.people[5].id();
                for method in ["user.unfollow", "user.follow"] {
                    self.bystander.request::<Value>(method, json!({ "id": id })).await.expect("asked");
                }
            }
            About::NewList | About::NewFilter => {
                things.chosen = Uuid::now_v7();
                let (method, params) = if matches!(about, About::NewList) {
                    ("list.create", json!({ "id": things.chosen, "name": "one more" }))
                } else {
                    ("filter.put", json!({ "id": things.chosen, "phrase": "one more" }))
                };
                self.owner().request::<Value>(method, params).await.expect("made");
            }
            About::Post(visibility) | About::Under(visibility) => {
                let post: Post = self.owner().posts_for(visibility, "ann's").await;
                things.post = post.id.0;
            }
            About::Comment => {
                let host = self.host.id;
                let comment: Comment = self.owner().comments(host, None, "ann's").await;
                things.comment = comment.id.0;
            }
            About::Case => {
                let post: Post = self.owner().posts("ann's, reported").await;
                let made: Value = self
                    .bystander
                    .request("report.create", report(&json!({ "post": post.id })))
                    .await
                    .expect("reported");
                assert_eq!(made["report"]["post"], json!(post.id));
                let cases: Value = self.warden.request("mod.page", json!({ "limit": 1 })).await.expect("cases");
                things.matter = cases["cases"][0]["id"].as_str().and_then(|id| id.parse().ok()).expect("a case");
            }
            About::Action | About::Appeal => {
                let warned = action("warn", &json!({ "user": things.ann }));
                things.matter = warned["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
                self.warden.request::<Value>("mod.act", warned).await.expect("warned");
                if let About::Appeal = about {
                    let appeal = json!({ "action": things.matter, "text": "it was not me" });
                    self.owner().request::<Value>("appeal.create", appeal).await.expect("appealed");
                }
            }
            About::LogIn => {
                let again = Person::logs_in(self.world.a(), "owner").await;
                let listed: Value = self.owner().request("session.list", json!({})).await.expect("hers");
                let other = listed["sessions"].as_array().into_iter().flatten().find(|one| one["current"] != true);
                things.log_in = other.and_then(|one| one["id"].as_str()?.parse().ok()).expect("a log-in");
                drop(again);
            }
        }
        things
    }
}

#[tokio::test]
async fn every_method_answers_everybody_as_the_matrix_says() {
    let mut cast = Cast::gathers().await;
    let mut wrong = Vec::new();
    for row in rows() {
        for (column, expected) in row.answers.into_iter().enumerate() {
            let things = cast.things(row.about, column).await;
            let answer: Result<Value, Refusal> = cast.people[column].request(row.method, (row.params)(&things)).await;
            if let (Ok(snapshot), "feed.subscribe") = (&answer, row.method) {
                let snapshot: Snapshot = serde_json::from_value(snapshot.clone()).expect("a snapshot");
                cast.people[column].state.starts_afresh(snapshot);
            }
            let told = answer.as_ref().map_or_else(|refusal| refusal.code.as_str(), |_| OK);
            if told != expected {
                wrong.push(format!("{} of {:?} by {}: {told}, not {expected}", row.method, row.about, COLUMNS[column]));
            }
            if let (Ok(answer), "post.stats", false) = (&answer, row.method, COLUMNS[column] == "owner") {
                assert_eq!(answer["stats"], json!([]), "numbers of a post that one may not see");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a program is answered that comes as the stranger: what they would be, if its token is good for it, and `forbidden` otherwise.
#[tokio::test]
async fn every_method_answers_a_token_as_far_as_it_is_good_for_it() {
    const STRANGER: usize = 1;
    let mut cast = Cast::gathers().await;
    let mut programs = Vec::new();
    for scope in [Scope::Read, Scope::Write, Scope::Firehose] {
        let word = serde_json::to_value(scope).expect("a word");
        let made = cast.people[STRANGER].makes_token(&[word.as_str().expect("a word")]).await;
        let mut program = cast.people[STRANGER].sends_program(&made.secret);
        program.connects(cast.world.a(), &[]).await;
        programs.push((scope, program));
    }
    let mut wrong = Vec::new();
    for row in rows() {
        let need = NEEDS.iter().find(|(method, _)| *method == row.method).map_or(Need::LogIn, |(_, need)| *need);
        for (scope, program) in &mut programs {
            let things = cast.things(row.about, STRANGER).await;
            let params = (row.params)(&things);
            let need = match row.method {
                "feed.subscribe" if params["feed"] == "firehose" => Need::Scope(Scope::Firehose),
                "feed.subscribe" => Need::Scope(Scope::Read),
                _ => need,
            };
            let may = need == Need::Nothing || need == Need::Scope(*scope);
            let expected = match () {
                () if !may => NO,
                // What no log-in may, a program may that has leave.
                () if params["feed"] == "firehose" && row.method == "feed.subscribe" => OK,
                () => row.answers[STRANGER],
            };
            let answer: Result<Value, Refusal> = program.request(row.method, params).await;
            if let (Ok(snapshot), "feed.subscribe") = (&answer, row.method) {
                program.state.starts_afresh(serde_json::from_value(snapshot.clone()).expect("a snapshot"));
            }
            let told = answer.as_ref().map_or_else(|refusal| refusal.code.as_str(), |_| OK);
            if told != expected {
                wrong.push(format!("{} of {:?} with {scope:?}: {told}, not {expected}", row.method, row.about));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_method_and_no_feed_is_without_a_row() {
    let rows = rows();
    let answered: BTreeSet<&str> = rows.iter().map(|row| row.method).collect();
    // `hello` is how everybody above came to be who they are.
    let missing: Vec<_> = Method::NAMES.iter().filter(|name| **name != "hello" && !answered.contains(**name)).collect();
    assert!(missing.is_empty(), "without a row in the matrix: {missing:?}");
    let one = Uuid::now_v7();
    let things = Things {
        ann: one,
        bystander: one,
        post: one,
        comment: one,
        log_in: one,
        matter: one,
        chosen: one,
        token: String::new(),
    };
    let subscribed: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row.method == "feed.subscribe")
        .filter_map(|row| (row.params)(&things)["feed"].as_str().and_then(|name| name.parse::<FeedName>().ok()))
        .map(kind)
        .collect();
    assert_eq!(
        subscribed,
        BTreeSet::from(["firehose", "global", "home", "list", "me", "mod", "notifications", "post", "tag", "user"])
    );
}

/// Without a wildcard: a new kind of feed does not build before somebody has thought of it here.
fn kind(feed: FeedName) -> &'static str {
    match feed {
        FeedName::Home => "home",
        FeedName::Global => "global",
        FeedName::Me => "me",
        FeedName::User(_) => "user",
        FeedName::Post(_) => "post",
        FeedName::Tag(_) => "tag",
        FeedName::List(_) => "list",
        FeedName::Notifications => "notifications",
        FeedName::Mod => "mod",
        FeedName::Firehose => "firehose",
    }
}
