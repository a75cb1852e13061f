//! What an operator hears when it cannot be done, and that nothing was made or changed by trying.

use std::time::Duration;

use serde_json::json;
use tidings_testkit::Node;

use crate::person::{PASSWORD, Person};
use crate::program::{SECRET, admin};
use crate::rest::rest;
use crate::world::World;

#[tokio::test]
async fn beside_a_server_with_a_private_postgres_only_its_folder_is_named() {
    let folder = tempfile::Builder::new().prefix("tidings-admin-").tempdir().unwrap();
    let data = folder.path().join("data");
    let words = |order: &[&str]| {
        let args: Vec<&str> = order.iter().copied().chain(["--data-dir", data.to_str().unwrap()]).collect();
        admin(&[], &args, "")
    };
    let said = words(&["make-admin", "ann"]).refused(1);
    assert!(said.contains("no Postgres is running") && said.contains("Start the server first"), "{said}");
    assert!(!data.exists(), "nothing was made by trying");

    let node = Node::of(env!("CARGO_BIN_EXE_tidings")).data_dir(&data).env("TIDINGS_BCRYPT_COST", "4");
    let mut node = tokio::task::spawn_blocking(|| node.start()).await.unwrap().unwrap();
    let mut ann = Person::arrives(&node, "ann", &[]).await;
    assert_eq!(words(&["make-admin", "ann"]).done(), "ann has the role admin now.\n");
    let said = words(&["reset-password", "ann"]).done();
    ann.hears_close().await;
    let password = said.trim_end().rsplit(' ').next().unwrap();
    let body = json!({ "login": "ann", "password": password });
    rest::<serde_json::Value>(&node, "auth/login", &body).await.expect("under the secret in the folder");

    assert_eq!(node.terminate(Duration::from_secs(20)).unwrap(), 0);
    let said = words(&["sessions", "ann"]).refused(1);
    assert!(said.contains("no Postgres is running"), "{said}");
}

#[tokio::test]
async fn a_password_is_not_set_under_a_secret_that_is_not_the_servers() {
    let world = World::one_node().await;
    Person::signs_up(world.a(), "ann").await;
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().to_str().unwrap();
    let url = ("DATABASE_URL", world.database.url());
    let other = [url, ("TIDINGS_SECRET", "another secret, as long as it has to be")];
    let said = admin(&other, &["reset-password", "ann"], "").refused(1);
    assert!(said.contains("does not fit its database"), "{said}");
    let said = admin(&[url], &["reset-password", "ann", "--data-dir", nowhere], "").refused(1);
    assert!(said.contains("the server's own secret"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no secret was made by trying");
    let body = json!({ "login": "ann", "password": PASSWORD });
    rest::<serde_json::Value>(world.a(), "auth/login", &body).await.expect("nothing was done");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_words() {
    let world = World::one_node().await;
    let settings = [("DATABASE_URL", world.database.url()), ("TIDINGS_SECRET", SECRET)];
    for order in [
        &["make-admin", "nobody"][..],
        &["logout", "nobody"],
        &["sessions", "nobody"],
        &["reset-password", "nobody"],
        &["ban", "nobody"],
    ] {
        let said = admin(&settings, order, "").refused(1);
        assert!(said.contains("there is no such user"), "{said}");
    }
    for order in [&["set-role", "ann", "king"][..], &["make-admin"], &["make-admin", "not a handle"], &["ban"]] {
        admin(&settings, order, "").refused(2);
    }
    let away = [("DATABASE_URL", "postgres://postgres@127.0.0.1:9/tidings")];
    let said = admin(&away, &["logout", "ann"], "").refused(1);
    assert!(said.contains("unavailable"), "{said}");
    let said = admin(&[("TIDINGS_WROKERS", "2")], &["logout", "ann"], "").refused(1);
    assert!(said.contains("TIDINGS_WROKERS"), "the settings are those of the server: {said}");
    assert!(admin(&[], &["--help"], "").done().contains("reset-password"));
}

#[tokio::test]
async fn a_database_that_no_server_has_prepared_is_left_as_it_is() {
    let database = tidings_testkit::Postgres::shared().unwrap().fresh_database().unwrap();
    let said = admin(&[("DATABASE_URL", database.url())], &["make-admin", "ann"], "").refused(1);
    assert!(said.contains("start this version of the server first"), "{said}");
    assert_eq!(database.psql("select count(*) from pg_tables where schemaname = 'public'").unwrap(), "0");
}
