//! Pictures in posts and as faces: whose they are, that each is in one place, and that they go with what shows them.

use tidings_actors::command::{Act, Command, Denied, ExtraChange, Outcome, ProfileChange};
use tidings_actors::ports::{Condemned, Face, JournalStore, MediaRows, Picture, Reads, Who};
use tidings_protocol::entity::{Post, PostExtra, User};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{MediaId, PostId, UserId};
use tidings_protocol::media::{MediaKind, MediaTicket, MediaType, PictureRef};
use tidings_protocol::text::{AltText, PostText};
use uuid::Uuid;

use crate::world::{World, body, done, duplicate, edit, hand_on, once, refused};

const PICTURE: Picture = Picture { media_type: MediaType::Jpeg, width: 640, height: 480, bytes: 70_000 };

/// A picture that has been sent.
async fn sent(world: &World, owner: UserId, kind: MediaKind) -> MediaId {
    let wish = MediaTicket { id: MediaId(Uuid::now_v7()), kind, media_type: MediaType::Webp, bytes: 100 };
    world.store.wish(owner, wish, u64::MAX).await.unwrap();
    assert!(world.store.claim(wish.id, PICTURE, [1; 32]).await.unwrap());
    assert!(world.store.kept(wish.id).await.unwrap());
    wish.id
}

fn showing(id: PostId, text: Option<&str>, pictures: &[MediaId]) -> Act {
    let described = |(nth, id): (usize, &MediaId)| PictureRef {
        id: *id,
        alt: (nth == 0).then(|| AltText::parse("a cat").unwrap()),
    };
    let pictures = pictures.iter().enumerate().map(described).collect();
    Act::PostCreate { id, text: text.map(|text| PostText::parse(text).unwrap()), extra: None, pictures }
}

fn new_post() -> PostId {
    PostId(Uuid::now_v7())
}

fn wears(avatar: Option<MediaId>) -> Act {
    let change = ProfileChange { avatar: Some(avatar), ..ProfileChange::default() };
    Act::UserUpdate { name: None, bio: None, change, if_rev: None }
}

fn used(world: &World) -> String {
    world.database.psql("select string_agg(used::text, ' ' order by id) from media").unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_post_shows_pictures_of_its_author_until_it_goes() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (one, two) = (sent(&world, ann, MediaKind::Image).await, sent(&world, ann, MediaKind::Image).await);
    let id = new_post();
    let told = done(world.does(ann, showing(id, None, &[two, one])).await);
    let post: Post = body(&told);
    assert_eq!(post.text, "");
    let shown = &post.extra.media;
    assert_eq!(shown.iter().map(|picture| picture.id).collect::<Vec<_>>(), [two, one], "in the order asked");
    assert_eq!((shown[0].alt.as_deref(), shown[1].alt.as_deref()), (Some("a cat"), None));
    assert_eq!((shown[0].media_type, shown[0].width, shown[0].height), (MediaType::Jpeg, 640, 480));
    assert_eq!(shown[1].url, format!("/media/{one}/full"));
    assert_eq!(shown[1].thumb_url, format!("/media/{one}/320"));
    assert_eq!(used(&world), "1 1");
    // Asked again it is the same; with other pictures it is another post.
    assert_eq!(body::<Post>(&duplicate(world.does(ann, showing(id, None, &[two, one])).await)), post);
    assert_eq!(refused(world.does(ann, showing(id, None, &[one, two])).await), Denied::IdTaken);
    assert_eq!(refused(world.does(ann, showing(id, Some("words"), &[two, one])).await), Denied::IdTaken);
    // Page, snapshot, catch-up and the journal tell the same.
    assert_eq!(world.store.post(Some(bob), id).await.unwrap().as_ref(), Some(&post));
    let home = world.store.snapshot(Some(ann), FeedName::Home, 10).await.unwrap().unwrap();
    assert_eq!(home.posts.unwrap(), std::slice::from_ref(&post));
    let read = world.store.read(told.seq, told.seq).await.unwrap();
    assert_eq!(body::<Post>(&read.entries[0]), post);
    assert_eq!(world.store.condemn(ann, one).await.unwrap(), Condemned::Used);
    // It is no repost: it can be handed on itself.
    done(world.does(bob, hand_on(new_post(), id, None)).await);
    // An edit leaves them.
    let edited: Post = body(&done(world.does(ann, edit(id, "two cats", None)).await));
    assert_eq!(edited.extra.media, post.extra.media);
    duplicate(world.does(ann, showing(id, None, &[two, one])).await);
    done(world.does(ann, Act::PostDelete { id }).await);
    assert_eq!(used(&world), "0 0");
    duplicate(world.does(ann, Act::PostDelete { id }).await);
    assert_eq!(used(&world), "0 0", "let go once");
    done(world.does(ann, showing(new_post(), None, &[one])).await);
    assert_eq!(world.store.condemn(ann, two).await.unwrap(), Condemned::Done);
}

#[tokio::test]
async fn p2_a_picture_that_is_not_ones_own_or_shown_elsewhere_is_refused_and_nothing_is_left() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (good, foreign) = (sent(&world, ann, MediaKind::Image).await, sent(&world, bob, MediaKind::Image).await);
    let (face, gone) = (sent(&world, ann, MediaKind::Avatar).await, sent(&world, ann, MediaKind::Image).await);
    world.store.condemn(ann, gone).await.unwrap();
    let awaited = MediaId(Uuid::now_v7());
    let wish = MediaTicket { id: awaited, kind: MediaKind::Image, media_type: MediaType::Png, bytes: 9 };
    world.store.wish(ann, wish, u64::MAX).await.unwrap();
    let head = world.head().await;
    for bad in [foreign, face, gone, awaited, MediaId(Uuid::now_v7())] {
        let denied = refused(world.does(ann, showing(new_post(), Some("words"), &[good, bad])).await);
        assert_eq!(denied, Denied::NoPicture { field: "media" });
    }
    assert_eq!((world.head().await, used(&world).contains('1')), (head, false));
    // Of two posts in one batch the first has it, and the rest of the batch goes on.
    let write = |actor, act| Command { actor, act };
    let outcomes = world
        .commit(&[
            write(ann, showing(new_post(), None, &[good])),
            write(ann, showing(new_post(), None, &[good])),
            write(bob, showing(new_post(), None, &[foreign])),
        ])
        .await;
    assert!(matches!(outcomes[0], Outcome::Done(_)) && matches!(outcomes[2], Outcome::Done(_)));
    assert_eq!(refused(outcomes[1].clone()), Denied::NoPicture { field: "media" });
    assert_eq!(
        refused(world.does(ann, showing(new_post(), None, &[good])).await),
        Denied::NoPicture { field: "media" }
    );
}

#[tokio::test]
async fn p10_a_post_with_pictures_whose_answer_was_lost_is_there_once() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let picture = sent(&world, ann, MediaKind::Image).await;
    let (batch, commands) = (once(), [Command { actor: ann, act: showing(new_post(), None, &[picture]) }]);
    let first = done(world.store.commit(batch, &commands).await.unwrap().outcomes.remove(0));
    let again = duplicate(world.store.commit(batch, &commands).await.unwrap().outcomes.remove(0));
    assert_eq!(body::<Post>(&first), body::<Post>(&again));
    assert_eq!(used(&world), "1");
}

#[tokio::test]
async fn a_face_is_a_picture_of_ones_own_and_lets_the_one_before_go() {
    let world = World::new().await;
    let (ann, bob) = (world.sign_up("ann").await, world.sign_up("bob").await);
    let (one, two) = (sent(&world, ann, MediaKind::Avatar).await, sent(&world, ann, MediaKind::Avatar).await);
    let (image, foreign) = (sent(&world, ann, MediaKind::Image).await, sent(&world, bob, MediaKind::Avatar).await);
    for bad in [image, foreign, MediaId(Uuid::now_v7())] {
        assert_eq!(refused(world.does(ann, wears(Some(bad))).await), Denied::NoPicture { field: "avatar" });
    }
    let told = done(world.does(ann, wears(Some(one))).await);
    assert_eq!(body::<User>(&told).extra.avatar, Some(one));
    let face = |avatar| Some(Face { name: "The ann".to_owned(), rev: told.seq, avatar });
    assert_eq!(world.store.face(ann).await.unwrap(), face(Some(one)));
    assert_eq!(duplicate(world.does(ann, wears(Some(one))).await).seq, told.seq);
    assert_eq!(used(&world), "1 0 0 0");
    done(world.does(ann, wears(Some(two))).await);
    assert_eq!(used(&world), "0 1 0 0");
    assert_eq!(world.store.condemn(ann, two).await.unwrap(), Condemned::Used);
    // What else is changed leaves it.
    done(world.does(ann, crate::world::rename("Ann")).await);
    let known = world.store.user(Some(bob), &Who::Id(ann)).await.unwrap().unwrap();
    assert_eq!(known.user.extra.avatar, Some(two));
    let told = done(world.does(ann, wears(None)).await);
    assert_eq!(body::<User>(&told).extra.avatar, None);
    assert_eq!(used(&world), "0 0 0 0");
    assert_eq!(world.store.face(ann).await.unwrap().unwrap().avatar, None);
    assert_eq!(world.store.face(UserId(Uuid::now_v7())).await.unwrap(), None);
}

#[tokio::test]
async fn what_else_a_post_says_stands_beside_its_pictures() {
    let world = World::new().await;
    let ann = world.sign_up("ann").await;
    let picture = sent(&world, ann, MediaKind::Image).await;
    let id = new_post();
    let extra = Some(Box::new(PostExtra { warning: Some("cats".to_owned()), ..PostExtra::default() }));
    let pictures = vec![PictureRef { id: picture, alt: None }];
    let post: Post = body(&done(world.does(ann, Act::PostCreate { id, text: None, extra, pictures }).await));
    assert_eq!((post.extra.warning.as_deref(), post.extra.media.len()), (Some("cats"), 1));
    let change =
        ExtraChange { warning: Some(tidings_protocol::text::Warning::parse("").unwrap()), ..ExtraChange::default() };
    let text = PostText::parse("a cat").unwrap();
    let post: Post = body(&done(world.does(ann, Act::PostUpdate { id, text, change, if_rev: None }).await));
    assert_eq!((post.extra.warning, post.extra.media.len()), (None, 1));
}
