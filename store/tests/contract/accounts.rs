//! Log-in and refresh: a token is traded once, a stolen one is noticed, an ended log-in stays ended.

use secrecy::ExposeSecret;
use tidings_actors::command::Act;
use tidings_actors::ports::{Accounts, NewToken, Opening, Reads, Rotation};

use crate::world::{World, done, new_token, opening};

#[tokio::test]
async fn credentials_are_found_by_handle_and_by_address() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    for login in ["ann", "Ann", "ann@example.org"] {
        let found = world.store.credentials(login).await.unwrap().unwrap();
        assert_eq!(found.user, ann, "{login}");
        assert_eq!(found.password_hash.expose_secret(), "$2b$12$hash");
    }
    for login in ["", "bob", "ann@", "%"] {
        assert!(world.store.credentials(login).await.unwrap().is_none(), "{login}");
    }
    let profile = world.store.profile(ann).await.unwrap().unwrap();
    assert_eq!((profile.id, profile.handle.as_str()), (ann, "ann"));
}

#[tokio::test]
async fn of_fifty_who_trade_one_token_together_one_gets_a_new_one() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let session = world.log_in(ann, 1).await;
    let (here, there) = (world.store.clone(), world.another_node());
    let races: Vec<_> = (0..50)
        .map(|nth| {
            let store = if nth % 2 == 0 { here.clone() } else { there.clone() };
            tokio::spawn(async move { store.rotate([1; 32], new_token(2), 10_000).await })
        })
        .collect();
    let (mut rotated, mut repeated) = (0, 0);
    for race in races {
        match race.await.unwrap().unwrap() {
            Rotation::Rotated { user, session: of } => {
                assert_eq!((user.id, of), (ann, session));
                rotated += 1;
            }
            Rotation::Repeated { user, session: of } => {
                assert_eq!((user.id, of), (ann, session));
                repeated += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((rotated, repeated), (1, 49));
    let tokens = world.database.psql("select count(*) from refresh_tokens").unwrap();
    assert_eq!(tokens, "2");
}

#[tokio::test]
async fn a_token_used_again_after_its_successor_or_after_the_grace_is_stolen() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let session = world.log_in(ann, 1).await;
    let rotate = |old: u8, new: u8, grace| world.store.rotate([old; 32], new_token(new), grace);
    assert!(matches!(rotate(1, 2, 10_000).await.unwrap(), Rotation::Rotated { .. }));
    assert!(matches!(rotate(1, 2, 10_000).await.unwrap(), Rotation::Repeated { .. }));
    // Another successor than the one given out: not a lost answer.
    assert!(matches!(rotate(1, 9, 10_000).await.unwrap(), Rotation::Reused { .. }));
    assert!(matches!(rotate(2, 3, 10_000).await.unwrap(), Rotation::Rotated { .. }));
    match rotate(1, 2, 10_000).await.unwrap() {
        Rotation::Reused { user, session: of } => assert_eq!((user, of), (ann, session)),
        other => panic!("{other:?}"),
    }
    world
        .database
        .psql("update refresh_tokens set rotated_ms = rotated_ms - 20000 where rotated_ms is not null")
        .unwrap();
    assert!(matches!(rotate(2, 3, 10_000).await.unwrap(), Rotation::Reused { .. }));
}

#[tokio::test]
async fn ended_expired_and_unknown_tokens_are_refused() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let session = world.log_in(ann, 1).await;
    let rotate = |old: u8, new: u8| world.store.rotate([old; 32], new_token(new), 10_000);
    assert!(matches!(rotate(7, 8).await.unwrap(), Rotation::Refused));
    assert_eq!(world.store.session_of([1; 32]).await.unwrap(), Some((ann, session)));
    assert!(world.store.viewer(ann, session).await.unwrap().unwrap().session_live);
    done(world.does(ann, Act::SessionRevoke { session: Some(session) }).await);
    assert!(matches!(rotate(1, 2).await.unwrap(), Rotation::Refused));
    assert_eq!(world.store.session_of([1; 32]).await.unwrap(), None);
    assert!(!world.store.viewer(ann, session).await.unwrap().unwrap().session_live);
    let token = NewToken { hash: [5; 32], life_ms: 0 };
    assert!(world.store.open_session(Opening { token, ..opening(ann, 5) }).await.unwrap());
    assert!(matches!(rotate(5, 6).await.unwrap(), Rotation::Refused));
    assert_eq!(world.store.session_of([5; 32]).await.unwrap(), None);
}

#[tokio::test]
async fn ending_all_log_ins_ends_all_of_that_user_only() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (one, two) = (world.log_in(ann, 1).await, world.log_in(ann, 2).await);
    let his = world.log_in(bob, 3).await;
    done(world.does(ann, Act::SessionRevoke { session: None }).await);
    for (user, session, live) in [(ann, one, false), (ann, two, false), (bob, his, true)] {
        let viewer = world.store.viewer(user, session).await.unwrap().unwrap();
        assert_eq!(viewer.session_live, live);
    }
    // Somebody else's log-in is not one's own.
    assert!(!world.store.viewer(ann, his).await.unwrap().unwrap().session_live);
}
