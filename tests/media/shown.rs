//! What shows pictures: posts, and everybody's face.

use reqwest::Method;
use serde_json::{Value, json};
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName::{Home, Me, User as Of};
use tidings_protocol::reply::{PostResult, UserUpdated};

use crate::album::{Album, ask, get, new_id};
use crate::person::Person;
use crate::pictures::png;
use crate::state::Thing;

#[tokio::test]
async fn pictures_come_with_their_post_to_everybody_and_go_with_it() {
    let album = Album::two_nodes().await;
    let (a, b) = (album.world.a(), album.world.b());
    let mut ann = Person::arrives(a, "ann", &[Home]).await;
    let mut bob = Person::arrives(b, "bob", &[Of(ann.id())]).await;
    let media = ann.sends_picture(a, "image", &png(400, 300, 1)).await;
    let face = ann.sends_picture(a, "avatar", &png(50, 50, 2)).await;
    let params = json!({ "id": new_id(), "media": [{ "id": media.id, "alt": "two halves" }] });
    let told: PostResult = ann.request("post.create", &params).await.unwrap();
    let again: PostResult = ann.request("post.create", &params).await.unwrap();
    assert!(!told.duplicate && again.duplicate && again.post == told.post);
    bob.hears_until("the post", |bob| bob.state.posts(Of(ann_of(&told))) == [told.post.clone()]).await;
    let [shown] = told.post.extra.media.as_slice() else { panic!("one picture") };
    assert_eq!((shown.alt.as_deref(), shown.width, shown.height), (Some("two halves"), 400, 300));
    for path in [&shown.url, &shown.thumb_url] {
        assert_eq!(get(b, path).await.status.as_u16(), 200);
    }
    // Each in one post; a face is no picture for a post; others' are none.
    for (person, picture) in [(&mut ann, media.id), (&mut bob, media.id)] {
        let params = json!({ "id": new_id(), "text": "mine", "media": [{ "id": picture }] });
        let refusal = person.refused("post.create", params).await;
        assert_eq!((refusal.code, refusal.field.as_deref()), (ErrorCode::NotFound, Some("media")));
    }
    let wrong = json!({ "id": new_id(), "text": "mine", "media": [{ "id": face.id }] });
    assert_eq!(ann.refused("post.create", wrong).await.code, ErrorCode::NotFound);
    for (media, code) in [
        (vec![json!({ "id": new_id() }); 5], ErrorCode::LimitReached),
        (vec![json!({ "id": media.id }); 2], ErrorCode::Invalid),
    ] {
        let refusal = ann.refused("post.create", json!({ "id": new_id(), "text": "x", "media": media })).await;
        assert_eq!((refusal.code, refusal.field.as_deref()), (code, Some("media")));
    }
    let of = json!({ "id": new_id(), "of": told.post.id, "media": [{ "id": new_id() }] });
    assert_eq!(bob.refused("post.create", of).await.code, ErrorCode::Invalid, "a quote has words");
    assert_eq!(ann.refused("post.create", json!({ "id": new_id() })).await.code, ErrorCode::Invalid);
    // Nobody takes it away from under the post; with the post it may go.
    assert_eq!(ann.refused("media.delete", json!({ "id": media.id })).await.code, ErrorCode::Conflict);
    let _: Value = ann.request("post.delete", json!({ "id": told.post.id })).await.unwrap();
    let _: Value = ann.request("media.delete", json!({ "id": media.id })).await.unwrap();
    get(b, &shown.url).await.refused(404, ErrorCode::NotFound);
}

fn ann_of(told: &PostResult) -> tidings_protocol::ids::UserId {
    told.post.author.id
}

#[tokio::test]
async fn everybody_has_a_face_at_an_address_made_of_what_an_author_tells() {
    let album = Album::two_nodes().await;
    let (a, b) = (album.world.a(), album.world.b());
    let mut ann = Person::arrives(a, "ann", &[Me]).await;
    let mut device = Person::logs_in(b, "ann").await;
    device.connects(b, &[Me]).await;
    let posted: PostResult = ann.request("post.create", json!({ "id": new_id(), "text": "hello" })).await.unwrap();
    let author = posted.post.author;
    let address = |rev: u64| format!("/media/avatar/{}/{rev}", author.id);
    let drawn = get(b, &address(author.rev.0)).await;
    assert_eq!((drawn.status.as_u16(), drawn.header("content-type")), (200, Some("image/svg+xml")));
    assert_eq!(drawn.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(drawn.header("content-security-policy"), Some("default-src 'none'; sandbox"));
    assert_eq!(drawn.header("x-content-type-options"), Some("nosniff"));
    assert!(String::from_utf8(drawn.body).unwrap().contains(">A</text>"));
    let media = ann.sends_picture(a, "avatar", &png(200, 200, 3)).await;
    // Tomorrow's address is not kept with today's face.
    assert_eq!(get(a, &address(author.rev.0 + 1)).await.header("cache-control"), Some("public, max-age=60"));
    let told: UserUpdated = ann.request("user.update", json!({ "avatar": media.id })).await.unwrap();
    assert_eq!(told.user.extra.avatar, Some(media.id));
    device
        .hears_until("her face", |device| {
            device.state.things(Me).any(|thing| matches!(thing, Thing::User(user) if *user == told.user))
        })
        .await;
    let small = get(a, &media.thumb_url).await;
    let face = get(b, &address(told.user.rev.0)).await;
    assert_eq!((face.status.as_u16(), face.header("content-type")), (200, small.header("content-type")));
    assert_eq!(face.body, small.body);
    assert_eq!(face.header("cache-control"), Some("public, max-age=31536000, immutable"));
    let tag = face.header("etag").unwrap().to_owned();
    let known = ask(b, Method::GET, &address(told.user.rev.0), ("if-none-match", &tag)).await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    assert_eq!(ask(b, Method::HEAD, &address(told.user.rev.0), ("accept", "*/*")).await.status.as_u16(), 200);
    // It stays with whoever wears it, and is let go for another or for none.
    assert_eq!(ann.refused("media.delete", json!({ "id": media.id })).await.code, ErrorCode::Conflict);
    let image = ann.sends_picture(a, "image", &png(20, 20, 4)).await;
    let refusal = ann.refused("user.update", json!({ "avatar": image.id })).await;
    assert_eq!((refusal.code, refusal.field.as_deref()), (ErrorCode::NotFound, Some("avatar")));
    let told: UserUpdated = ann.request("user.update", json!({ "avatar": null, "name": "Zoë" })).await.unwrap();
    assert_eq!(told.user.extra.avatar, None);
    let drawn = get(a, &address(told.user.rev.0)).await;
    assert!(String::from_utf8(drawn.body).unwrap().contains(">Z</text>"));
    let _: Value = ann.request("media.delete", json!({ "id": media.id })).await.unwrap();
    for nobody in [
        format!("/media/avatar/{}/1", new_id()),
        format!("/media/avatar/{}/01", author.id),
        format!("/media/avatar/{}/x", author.id),
        format!("/media/avatar/{}/1", author.id.to_string().to_uppercase()),
    ] {
        get(a, &nobody).await.refused(404, ErrorCode::NotFound);
    }
}
