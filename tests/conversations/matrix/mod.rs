//! The authorization matrix: what each kind of person is answered by each method, about each kind of thing. Nothing is allowed because nobody
//! thought of it: a method or a feed without a row fails, and each cell says what it must be.

mod rows;

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

use self::rows::{NO, OK, action, report, rows};
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
