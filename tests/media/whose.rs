//! Whose a picture is: what others may not, what its owner may, and how much.

use serde_json::json;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::limits::MEDIA_BYTES_PER_DAY;
use tidings_protocol::media::{MediaDeleted, MediaKind};

use crate::album::{Album, get, new_id, put, wish};
use crate::person::Person;
use crate::pictures::png;

#[tokio::test]
async fn nobody_sends_or_deletes_for_somebody_else() {
    let album = Album::one_node().await;
    let node = album.a();
    let mut ann = Person::arrives(node, "ann", &[]).await;
    let mut bob = Person::arrives(node, "bob", &[]).await;
    let mut nobody = Person::anonymous();
    nobody.connects(node, &[]).await;
    let (id, sent) = (new_id(), png(50, 50, 1));
    let ticket = ann.asks_leave(id, "image", sent.len()).await;
    let taken = bob.refused("media.ticket", wish(id, "image", sent.len())).await;
    assert_eq!((taken.code, taken.field.as_deref()), (ErrorCode::Conflict, Some("id")));
    for method in ["media.ticket", "media.delete"] {
        assert_eq!(nobody.refused(method, wish(new_id(), "image", 9)).await.code, ErrorCode::Unauthorized);
    }
    // Not there for anybody before it has been sent.
    for person in [&mut ann, &mut bob, &mut nobody] {
        assert_eq!(person.refused("media.get", json!({ "id": id })).await.code, ErrorCode::NotFound);
    }
    let media = put(node, &ticket.upload, &sent).await.media();
    assert_eq!(bob.refused("media.delete", json!({ "id": id })).await.code, ErrorCode::Forbidden);
    assert_eq!(get(node, &media.url).await.status.as_u16(), 200);
    // A ticket whose owner or picture was changed is none; neither is one of another kind of text.
    let text = ticket.upload.rsplit('/').next().unwrap();
    let forged: Vec<String> = [5, 30, 50, 60, 100]
        .map(|at| {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            format!("{}{other}{}", &text[..at], &text[at + 1..])
        })
        .into_iter()
        .chain([text[..text.len() - 1].to_owned(), format!("{text}A"), "x".to_owned(), ann.token().unwrap().to_owned()])
        .collect();
    for forged in forged {
        put(node, &format!("/api/v1/media/{forged}"), &sent).await.refused(403, ErrorCode::BadToken);
    }
    let log = album.a().log();
    assert!(!log.contains(text), "P9: a ticket in the log");
}

#[tokio::test]
async fn what_is_deleted_is_gone_at_once_and_for_good() {
    let album = Album::two_nodes().await;
    let (a, b) = (album.world.a(), album.world.b());
    let mut ann = Person::arrives(a, "ann", &[]).await;
    let (id, sent) = (new_id(), png(50, 50, 1));
    let ticket = ann.asks_leave(id, "image", sent.len()).await;
    let media = put(a, &ticket.upload, &sent).await.media();
    for _again in 0..2 {
        let gone: MediaDeleted = ann.request("media.delete", json!({ "id": id })).await.unwrap();
        assert_eq!(gone.id.0, id);
    }
    for node in [a, b] {
        for path in [&media.url, &media.thumb_url] {
            get(node, path).await.refused(404, ErrorCode::NotFound);
        }
        put(node, &ticket.upload, &sent).await.refused(410, ErrorCode::NotFound);
    }
    assert_eq!(album.files(), Vec::<std::path::PathBuf>::new());
    assert_eq!(ann.refused("media.get", json!({ "id": id })).await.code, ErrorCode::NotFound);
    assert_eq!(ann.refused("media.ticket", wish(id, "image", sent.len())).await.code, ErrorCode::Conflict);
    assert_eq!(ann.refused("media.delete", json!({ "id": new_id() })).await.code, ErrorCode::NotFound);
    // One that was only wished for goes as well.
    let other = ann.asks_leave(new_id(), "image", sent.len()).await;
    let wished = ann.asks_leave(new_id(), "image", sent.len()).await;
    drop(other);
    let of_it = album.psql("select id from media where state = 0 order by id desc limit 1");
    let _: MediaDeleted = ann.request("media.delete", json!({ "id": of_it })).await.unwrap();
    put(a, &wished.upload, &sent).await.refused(410, ErrorCode::NotFound);
    assert_eq!(album.files(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_wish_has_limits() {
    let album = Album::one_node().await;
    let mut ann = Person::arrives(album.a(), "ann", &[]).await;
    let mut bob = Person::arrives(album.a(), "bob", &[]).await;
    for (kind, most) in [("image", MediaKind::Image.most_bytes()), ("avatar", MediaKind::Avatar.most_bytes())] {
        let refusal = ann.refused("media.ticket", wish(new_id(), kind, most as usize + 1)).await;
        assert_eq!((refusal.code, refusal.field.as_deref()), (ErrorCode::LimitReached, Some("bytes")));
    }
    for wrong in [
        json!({ "id": new_id(), "kind": "image", "type": "image/png", "bytes": 0 }),
        json!({ "id": new_id(), "kind": "image", "type": "image/svg+xml", "bytes": 9 }),
        json!({ "id": new_id(), "kind": "film", "type": "image/png", "bytes": 9 }),
        json!({ "id": "../../etc/passwd", "kind": "image", "type": "image/png", "bytes": 9 }),
        json!({ "id": new_id(), "kind": "image", "type": "image/png", "bytes": -1 }),
        json!({ "id": new_id(), "kind": "image", "type": "image/png" }),
    ] {
        assert_eq!(ann.refused("media.ticket", wrong.clone()).await.code, ErrorCode::Invalid, "{wrong}");
    }
    // The same id for something else.
    let id = new_id();
    ann.asks_leave(id, "image", 100).await;
    for other in [wish(id, "avatar", 100), wish(id, "image", 101)] {
        assert_eq!(ann.refused("media.ticket", other).await.code, ErrorCode::Conflict);
    }
    // So much in a day, deleted or not; others have their own day.
    let most = MediaKind::Image.most_bytes();
    let fit = MEDIA_BYTES_PER_DAY / u64::from(most) - 1;
    for _ in 0..fit {
        ann.asks_leave(new_id(), "image", most as usize).await;
    }
    album.psql("update media set state = 2");
    let refusal = ann.refused("media.ticket", wish(new_id(), "image", most as usize)).await;
    assert_eq!((refusal.code, refusal.field.as_deref()), (ErrorCode::LimitReached, Some("bytes")));
    bob.asks_leave(new_id(), "image", most as usize).await;
    let day_ago = "update media set created_ms = created_ms - 24 * 60 * 60 * 1000";
    album.psql(day_ago);
    ann.asks_leave(new_id(), "image", most as usize).await;
}
