//! What is known of pictures: wishes, claims and ends, each decided once however many ask at the same time.

use tidings_actors::ports::{Condemned, KnownMedia, MediaRows, MediaState, Picture, Wished};
use tidings_protocol::ids::{MediaId, UserId};
use tidings_protocol::media::{MediaKind, MediaTicket, MediaType};
use uuid::Uuid;

use crate::world::World;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const PICTURE: Picture = Picture { media_type: MediaType::Jpeg, width: 640, height: 480, bytes: 70_000 };

fn wish(bytes: u32) -> MediaTicket {
    MediaTicket { id: MediaId(Uuid::now_v7()), kind: MediaKind::Image, media_type: MediaType::Webp, bytes }
}

/// Wishes, claims and keeps one.
async fn kept(world: &World, owner: UserId) -> MediaId {
    let wish = wish(100);
    world.store.wish(owner, wish, u64::MAX).await.unwrap();
    assert!(world.store.claim(wish.id, PICTURE, [1; 32]).await.unwrap());
    assert!(world.store.kept(wish.id).await.unwrap());
    wish.id
}

#[tokio::test]
async fn a_picture_is_wished_for_claimed_and_kept() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let (store, wish) = (&world.store, wish(100));
    assert_eq!(store.media(wish.id).await.unwrap(), None);
    assert!(!store.claim(wish.id, PICTURE, [1; 32]).await.unwrap(), "nobody wished for it");
    for _again in 0..2 {
        assert_eq!(store.wish(ann, wish, 1_000).await.unwrap(), Wished::Granted(MediaState::Awaited));
    }
    let known = |state| Some(KnownMedia { owner: ann, kind: MediaKind::Image, state });
    assert_eq!(store.media(wish.id).await.unwrap(), known(MediaState::Awaited));
    assert!(!store.kept(wish.id).await.unwrap(), "nothing has been claimed");
    assert!(store.claim(wish.id, PICTURE, [1; 32]).await.unwrap());
    assert_eq!(store.media(wish.id).await.unwrap(), known(MediaState::Awaited), "its files are not there yet");
    assert!(store.claim(wish.id, PICTURE, [1; 32]).await.unwrap(), "the same once more, after a lost answer");
    assert!(!store.claim(wish.id, PICTURE, [2; 32]).await.unwrap());
    for _again in 0..2 {
        assert!(store.kept(wish.id).await.unwrap());
        assert_eq!(store.media(wish.id).await.unwrap(), known(MediaState::Kept(PICTURE, [1; 32])));
    }
    assert!(!store.claim(wish.id, PICTURE, [1; 32]).await.unwrap(), "it is kept: nothing is to be written any more");
    assert_eq!(store.wish(ann, wish, 0).await.unwrap(), Wished::Granted(MediaState::Kept(PICTURE, [1; 32])));
}

#[tokio::test]
async fn of_many_who_come_with_different_pictures_one_gets_its_way() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let wish = wish(100);
    world.store.wish(ann, wish, 1_000).await.unwrap();
    let (here, there) = (world.store.clone(), world.another_node());
    let races: Vec<_> = (0..40_u8)
        .map(|nth| {
            let store = if nth % 2 == 0 { here.clone() } else { there.clone() };
            tokio::spawn(async move { (nth % 4, store.claim(wish.id, PICTURE, [nth % 4; 32]).await.unwrap()) })
        })
        .collect();
    let mut winners = Vec::new();
    for race in races {
        let (digest, won) = race.await.unwrap();
        if won {
            winners.push(digest);
        }
    }
    assert_eq!(winners.len(), 10);
    winners.dedup();
    assert_eq!(winners.len(), 1);
}

#[tokio::test]
async fn p6_a_day_has_room_for_so_much_also_for_many_wishes_at_once() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (here, there) = (world.store.clone(), world.another_node());
    let races: Vec<_> = (0..20)
        .map(|nth| {
            let store = if nth % 2 == 0 { here.clone() } else { there.clone() };
            tokio::spawn(async move { store.wish(ann, wish(100), 1_000).await.unwrap() })
        })
        .collect();
    let mut granted = 0;
    for race in races {
        match race.await.unwrap() {
            Wished::Granted(MediaState::Awaited) => granted += 1,
            Wished::TooMuch => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(granted, 10);
    assert_eq!(here.wish(bob, wish(1_000), 1_000).await.unwrap(), Wished::Granted(MediaState::Awaited));
    assert_eq!(here.wish(bob, wish(1), 1_000).await.unwrap(), Wished::TooMuch);
    world.database.psql("update media set state = 2").unwrap();
    assert_eq!(here.wish(ann, wish(1), 1_000).await.unwrap(), Wished::TooMuch, "deleting makes no room");
    world.database.psql(&format!("update media set created_ms = created_ms - {DAY_MS}")).unwrap();
    assert_eq!(here.wish(ann, wish(1_000), 1_000).await.unwrap(), Wished::Granted(MediaState::Awaited));
}

#[tokio::test]
async fn an_id_belongs_to_one_wish() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (store, first) = (&world.store, wish(100));
    store.wish(ann, first, 1_000).await.unwrap();
    assert_eq!(store.wish(bob, first, 1_000).await.unwrap(), Wished::Taken);
    for other in [
        MediaTicket { kind: MediaKind::Avatar, ..first },
        MediaTicket { media_type: MediaType::Png, ..first },
        MediaTicket { bytes: 101, ..first },
    ] {
        assert_eq!(store.wish(ann, other, 1_000).await.unwrap(), Wished::Taken);
    }
    let nobody = UserId(Uuid::now_v7());
    assert_eq!(store.wish(nobody, wish(1), 1_000).await.unwrap(), Wished::NoAccount);
}

#[tokio::test]
async fn what_is_condemned_is_over_and_forgotten_a_day_after_its_wish() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let store = &world.store;
    let (mine, used) = (kept(&world, ann).await, kept(&world, ann).await);
    let take = format!("select media_take('{ann}', 1::smallint, array['{used}']::uuid[])");
    assert_eq!(world.database.psql(&take).unwrap(), "t");
    assert_eq!(store.condemn(bob, mine).await.unwrap(), Condemned::Forbidden);
    assert_eq!(store.condemn(ann, used).await.unwrap(), Condemned::Used);
    assert_eq!(store.condemn(ann, MediaId(Uuid::now_v7())).await.unwrap(), Condemned::NotFound);
    for _again in 0..2 {
        assert_eq!(store.condemn(ann, mine).await.unwrap(), Condemned::Done);
    }
    assert_eq!(store.media(mine).await.unwrap().unwrap().state, MediaState::Condemned);
    assert!(!store.kept(mine).await.unwrap() && !store.claim(mine, PICTURE, [1; 32]).await.unwrap());
    assert_eq!(world.database.psql(&take.replace(&used.to_string(), &mine.to_string())).unwrap(), "f");
    let unused = DAY_MS;
    assert_eq!(store.condemned(unused, 0).await.unwrap(), [], "its row counts for a day");
    world
        .database
        .psql(&format!("update media set created_ms = created_ms - {DAY_MS} - 1, idle_ms = idle_ms - 10"))
        .unwrap();
    assert_eq!(store.condemned(unused, 60_000).await.unwrap(), [], "somebody may be writing it");
    assert_eq!(store.condemned(unused, 0).await.unwrap(), [mine]);
    store.forget_media(&[mine, used]).await.unwrap();
    assert_eq!(store.media(mine).await.unwrap(), None);
    assert!(store.media(used).await.unwrap().is_some(), "only what is condemned is forgotten");
}

#[tokio::test]
async fn what_is_shown_at_the_last_moment_stays() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    for round in 0..10 {
        let id = kept(&world, ann).await;
        world.database.psql(&format!("update media set idle_ms = 0 where id = '{id}'")).unwrap();
        let store = world.another_node();
        let forgetting = tokio::spawn(async move { store.condemned(DAY_MS, 0).await.unwrap() });
        let take = format!("select media_take('{ann}', 1::smallint, array['{id}']::uuid[])");
        let shown = world.database.psql(&take).unwrap() == "t";
        forgetting.await.unwrap();
        let state = world.store.media(id).await.unwrap().unwrap().state;
        assert_eq!(shown, matches!(state, MediaState::Kept(..)), "round {round}: shown by something, and condemned");
    }
}
