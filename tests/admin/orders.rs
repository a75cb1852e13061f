//! What an operator orders takes effect on the nodes that are running, at once and for live connections too (P5).

use serde_json::json;
use tidings_protocol::close::CloseCode;
use tidings_protocol::entity::Role;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName::{Global, Me};
use tidings_protocol::rest::Tokens;
use tidings_testkit::Node;

use crate::person::{PASSWORD, Person};
use crate::program::{SECRET, admin};
use crate::rest::rest;
use crate::state::Thing;
use crate::world::World;

async fn logs_in(node: &Node, password: &str) -> Result<Tokens, ErrorCode> {
    let body = json!({ "login": "ann", "password": password });
    rest(node, "auth/login", &body).await.map_err(|(_, refusal)| refusal.code)
}

async fn hears_role(person: &mut Person, role: Role) {
    let has = |me: &Person| me.state.things(Me).any(|thing| matches!(thing, Thing::User(user) if user.role == role));
    person.hears_until("the new role", has).await;
}

#[tokio::test]
async fn the_first_admin_is_made_while_the_server_runs() {
    let world = World::two_nodes().await;
    let settings = [("DATABASE_URL", world.database.url())];
    let mut ann = Person::arrives(world.a(), "ann", &[Me]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Global]).await;
    let post = bob.posts("rude").await;
    ann.is_refused(ErrorCode::Forbidden, "post.delete", json!({ "id": post.id })).await;
    assert_eq!(admin(&settings, &["make-admin", "ann"], "").done(), "ann has the role admin now.\n");
    hears_role(&mut ann, Role::Admin).await;
    assert_eq!(admin(&settings, &["make-admin", "@Ann"], "").done(), "ann has the role admin already.\n");
    ann.deletes(post.id).await;
    bob.hears_removal(Global, &post).await;
    for (name, role) in [("moderator", Role::Moderator), ("user", Role::User)] {
        let said = admin(&settings, &["set-role", "ann", name], "").done();
        assert_eq!(said, format!("ann has the role {name} now.\n"));
        hears_role(&mut ann, role).await;
    }
    let post = bob.posts("rude again").await;
    ann.is_refused(ErrorCode::Forbidden, "post.delete", json!({ "id": post.id })).await;
}

#[tokio::test]
async fn a_reset_password_is_told_once_and_ends_all_log_ins() {
    let world = World::two_nodes().await;
    let settings = [("DATABASE_URL", world.database.url()), ("TIDINGS_SECRET", SECRET)];
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[]).await;
    let said = admin(&settings, &["reset-password", "ann"], "").done();
    assert!(said.starts_with("ann has a new password; log-ins ended: 2.\n"), "{said}");
    let password = said.trim_end().rsplit(' ').next().expect("a word");
    for device in [&mut ann, &mut phone] {
        assert_eq!(device.hears_close().await, CloseCode::SessionRevoked.number());
    }
    assert_eq!(logs_in(world.b(), PASSWORD).await.err(), Some(ErrorCode::BadCredentials));
    logs_in(world.b(), password).await.expect("the password that was printed");
    // The operator's own choice, by a pipe: nothing of it is shown.
    let said = admin(&settings, &["reset-password", "ann", "--stdin"], "chosen by the operator\n").done();
    assert_eq!(said, "ann has a new password; log-ins ended: 1.\n");
    logs_in(world.a(), "chosen by the operator").await.expect("the password that was piped in");
    let short = admin(&settings, &["reset-password", "ann", "--stdin"], "short\n").refused(1);
    assert!(short.contains("must be 10 to 1024 bytes"), "{short}");
    logs_in(world.a(), "chosen by the operator").await.expect("nothing was done");
}

#[tokio::test]
async fn log_ins_are_listed_and_ended() {
    let world = World::two_nodes().await;
    let settings = [("DATABASE_URL", world.database.url())];
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[]).await;
    let said = admin(&settings, &["sessions", "ann"], "").done();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].starts_with("session ") && lines[1].contains("Z  "), "{said}");
    let said = admin(&settings, &["logout", "ann"], "").done();
    assert_eq!(said, "ann is logged out everywhere; log-ins ended: 2.\n");
    for device in [&mut ann, &mut phone] {
        assert_eq!(device.hears_close().await, CloseCode::SessionRevoked.number());
    }
    assert_eq!(admin(&settings, &["sessions", "ann"], "").done().lines().count(), 1);
    bob.is_answered().await;
}

#[tokio::test]
async fn p5_an_account_is_ended_once_the_operator_has_said_twice_that_it_is_meant() {
    let world = World::two_nodes().await;
    let settings = [("DATABASE_URL", world.database.url())];
    let order = |words: &[&str], typed: &str| admin(&settings, words, typed);
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[]).await;
    let mut bob = Person::arrives(world.b(), "bob", &[Global]).await;
    let post = ann.posts("soon forgotten").await;
    bob.hears_post("soon forgotten").await;
    for typed in ["", "yes\n", "bob\n"] {
        let said = order(&["delete-account", "ann"], typed);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.out.contains("no way back") && said.out.contains("connections: 2."), "{said:?}");
        assert!(said.err.contains("nothing was done"), "{said:?}");
    }
    ann.is_answered().await;
    let said = order(&["delete-account", "ann"], "ann\n").done();
    assert!(said.ends_with("To go on, type ann: The account of ann is deleted; log-ins ended: 2.\n"), "{said}");
    for device in [&mut ann, &mut phone] {
        assert_eq!(device.hears_close().await, CloseCode::SessionRevoked.number());
    }
    assert_eq!(logs_in(world.b(), PASSWORD).await.err(), Some(ErrorCode::BadCredentials));
    bob.hears_removal(Global, &post).await;
    assert!(order(&["delete-account", "ann", "--yes"], "").refused(1).contains("there is no such user"));
    // Nobody is asked who said so beforehand; and both stand in the log.
    assert_eq!(
        order(&["delete-account", "@Bob", "--yes"], "").done(),
        "The account of bob is deleted; log-ins ended: 1.\n"
    );
    assert_eq!(bob.hears_close().await, CloseCode::SessionRevoked.number());
    let said = order(&["verify-log"], "").done();
    assert!(said.starts_with("The log is whole. Its last line is 2:"), "{said}");
}

#[tokio::test]
async fn p5_who_is_suspended_may_read_and_take_back_and_who_is_banned_is_out_at_once() {
    let world = World::two_nodes().await;
    let settings = [("DATABASE_URL", world.database.url())];
    let order = |word: &str| admin(&settings, &[word, "ann"], "").done();
    let mut ann = Person::arrives(world.a(), "ann", &[Global]).await;
    let mut phone = Person::logs_in(world.b(), "ann").await;
    phone.connects(world.b(), &[]).await;
    let post = ann.posts("too much").await;
    assert_eq!(order("suspend"), "ann is suspended now.\n");
    assert_eq!(order("suspend"), "ann is suspended already.\n");
    for device in [&mut ann, &mut phone] {
        let params = json!({ "id": uuid::Uuid::now_v7(), "text": "more" });
        device.is_refused(ErrorCode::Forbidden, "post.create", params).await;
        device.is_answered().await;
    }
    ann.deletes(post.id).await;
    assert_eq!(order("reinstate"), "ann is in good standing now.\n");
    phone.posts("again").await;
    assert_eq!(order("ban"), "ann is banned now; log-ins ended: 2.\n");
    for device in [&mut ann, &mut phone] {
        assert_eq!(device.hears_close().await, CloseCode::SessionRevoked.number());
    }
    assert_eq!(logs_in(world.b(), PASSWORD).await.err(), Some(ErrorCode::Forbidden));
    assert_eq!(logs_in(world.b(), "not her password").await.err(), Some(ErrorCode::BadCredentials));
    assert_eq!(order("reinstate"), "ann is in good standing now.\n");
    logs_in(world.a(), PASSWORD).await.expect("welcome back");
}

#[tokio::test]
async fn the_log_of_what_was_ordered_shows_when_somebody_has_changed_it() {
    let world = World::one_node().await;
    let settings = [("DATABASE_URL", world.database.url())];
    Person::signs_up(world.a(), "ann").await;
    let order = |words: &[&str]| admin(&settings, words, "");
    assert_eq!(order(&["verify-log"]).done(), "The log is empty.\n");
    order(&["make-admin", "ann"]).done();
    order(&["suspend", "ann"]).done();
    order(&["logout", "ann"]).done();
    let said = order(&["verify-log"]).done();
    let last = said.trim_end().rsplit(' ').next().expect("a line");
    assert!(said.starts_with("The log is whole. Its last line is 3:"), "{said}");
    assert_eq!(order(&["verify-log", "--was", last]).done(), said);
    let tamper = "set session_replication_role = replica; update audit_log set act = 'role user' where n = 1";
    world.database.psql(tamper).expect("whoever owns the database can");
    let said = order(&["verify-log"]).refused(1);
    assert!(said.contains("the log is broken at line 1: it is not what was written then"), "{said}");
    order(&["verify-log", "--was", "seventeen"]).refused(2);
}
