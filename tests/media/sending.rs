//! What goes well: a photo, a face, a look at them, from both nodes, and everything once more.

use image::{GenericImageView, Rgba};
use reqwest::Method;
use serde_json::json;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::media::{Media, MediaGot, MediaKind, MediaTicketed, MediaType};

use crate::album::{Album, ask, get, new_id, put, until};
use crate::person::Person;
use crate::pictures::{BLUE, RED, contains, photo, png};
use crate::world::Plan;

fn close(pixel: Rgba<u8>, to: [u8; 3]) -> bool {
    pixel.0.iter().zip(to).all(|(have, want)| have.abs_diff(want) < 40)
}

#[tokio::test]
async fn a_photo_arrives_upright_small_and_without_its_place() {
    let album = Album::one_node().await;
    let mut ann = Person::arrives(album.a(), "ann", &[]).await;
    let sent = photo(800, 600);
    assert!(contains(&sent, b"GPSPLACE"));
    let (id, bytes) = (new_id(), sent.len());
    let ticket = ann.asks_leave(id, "image", bytes).await;
    assert_eq!((ticket.max_bytes as usize, ticket.media.clone()), (bytes, None));
    let answer = put(album.a(), &ticket.upload, &sent).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, Some("no-store")));
    let media = answer.media();
    assert_eq!((media.id.0, media.kind, media.media_type), (id, MediaKind::Image, MediaType::Jpeg));
    assert_eq!((media.width, media.height), (600, 800));
    for (path, size) in
        [(&media.url, (600, 800)), (&media.thumb_url, (240, 320)), (&format!("/media/{id}/96"), (72, 96))]
    {
        let shown = get(album.a(), path).await;
        assert_eq!((shown.status.as_u16(), shown.header("content-type")), (200, Some("image/jpeg")));
        for trace in [&b"Exif"[..], b"SpyCam", b"GPSPLACE"] {
            assert!(!contains(&shown.body, trace));
        }
        let picture = image::load_from_memory(&shown.body).unwrap();
        assert_eq!(picture.dimensions(), size);
        let (width, height) = size;
        assert!(close(picture.get_pixel(width / 2, 4), RED) && close(picture.get_pixel(width / 2, height - 4), BLUE));
    }
    let full = get(album.a(), &media.url).await;
    assert_eq!(full.body.len(), media.bytes as usize);
    let got: MediaGot = ann.request("media.get", json!({ "id": id })).await.unwrap();
    assert_eq!(got.media, media);
    let mut stranger = Person::anonymous();
    stranger.connects(album.a(), &[]).await;
    let got: MediaGot = stranger.request("media.get", json!({ "id": id })).await.unwrap();
    assert_eq!(got.media, media);
}

#[tokio::test]
async fn a_face_is_square() {
    let album = Album::one_node().await;
    let mut ann = Person::arrives(album.a(), "ann", &[]).await;
    let media = ann.sends_picture(album.a(), "avatar", &png(900, 700, 1)).await;
    assert_eq!((media.kind, media.width, media.height), (MediaKind::Avatar, 512, 512));
    assert!(media.thumb_url.ends_with("/96"));
    let shown = get(album.a(), &media.thumb_url).await;
    assert_eq!(image::load_from_memory(&shown.body).unwrap().dimensions(), (96, 96));
}

#[tokio::test]
async fn a_picture_may_be_kept_for_ever_and_does_nothing_by_itself() {
    let album = Album::one_node().await;
    let mut ann = Person::arrives(album.a(), "ann", &[]).await;
    let media = ann.sends_picture(album.a(), "image", &png(400, 300, 1)).await;
    let shown = get(album.a(), &media.url).await;
    assert_eq!(shown.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(shown.header("content-type"), Some("image/png"));
    assert_eq!(shown.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(shown.header("content-security-policy"), Some("default-src 'none'; sandbox"));
    assert_eq!(shown.header("content-length"), Some(&*media.bytes.to_string()));
    let tag = shown.header("etag").unwrap().to_owned();
    for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let again = ask(album.a(), Method::GET, &media.url, ("if-none-match", &known)).await;
        assert_eq!((again.status.as_u16(), again.body.len(), again.header("etag")), (304, 0, Some(&*tag)), "{known}");
        assert!(again.header("cache-control").unwrap().contains("immutable"));
    }
    let other = ask(album.a(), Method::GET, &media.url, ("if-none-match", "\"other\"")).await;
    assert_eq!((other.status.as_u16(), &other.body), (200, &shown.body));
    let head = ask(album.a(), Method::HEAD, &media.url, ("accept", "*/*")).await;
    assert_eq!((head.status.as_u16(), head.body.len(), head.header("etag")), (200, 0, Some(&*tag)));
    assert_eq!(head.header("content-length"), shown.header("content-length"));
}

#[tokio::test]
async fn p10_everything_may_be_asked_twice() {
    let album = Album::two_nodes().await;
    let (a, b) = (album.world.a(), album.world.b());
    let mut ann = Person::arrives(a, "ann", &[]).await;
    let (id, sent) = (new_id(), png(300, 200, 1));
    let ticket = ann.asks_leave(id, "image", sent.len()).await;
    // Another node believes the ticket, and both show the picture.
    let media = put(b, &ticket.upload, &sent).await.media();
    for node in [a, b] {
        assert_eq!(get(node, &media.url).await.status.as_u16(), 200);
        let again = put(node, &ticket.upload, &sent).await;
        assert_eq!((again.status.as_u16(), again.media()), (200, media.clone()));
    }
    assert_eq!(album.files().len(), 3);
    // The same wish from another device, on another node, is told that it has been done.
    let mut phone = Person::logs_in(b, "ann").await;
    phone.connects(b, &[]).await;
    let once_more: MediaTicketed = phone.asks_leave(id, "image", sent.len()).await;
    assert_eq!(once_more.media.as_ref(), Some(&media));
    assert_eq!(put(a, &once_more.upload, &sent).await.status.as_u16(), 200);
    // Another picture under the same id is none.
    let other = png(300, 200, 2);
    put(a, &ticket.upload, &other[..other.len().min(sent.len())]).await.refused(409, ErrorCode::Conflict);
    let untouched: Media = put(a, &ticket.upload, &sent).await.media();
    assert_eq!(untouched, media);
}

#[tokio::test]
async fn of_several_who_send_at_once_one_gets_its_way() {
    let album = Album::two_nodes().await;
    let mut ann = Person::arrives(album.world.a(), "ann", &[]).await;
    let ticket = ann.asks_leave(new_id(), "image", 100_000).await;
    let both = [png(300, 200, 1), png(200, 300, 2)];
    let sends = (0..4).map(|n| put(&album.world.nodes[n / 2], &ticket.upload, &both[n % 2]));
    let answers = futures_util::future::join_all(sends).await;
    let good: Vec<Media> =
        answers.iter().filter(|answer| answer.status.is_success()).map(|answer| answer.media()).collect();
    assert!(good.len() == 2 && good[0] == good[1], "{answers:?}");
    for answer in answers.iter().filter(|answer| !answer.status.is_success()) {
        answer.refused(409, ErrorCode::Conflict);
    }
    let shown = get(album.world.a(), &good[0].url).await;
    let picture = image::load_from_memory(&shown.body).unwrap();
    assert_eq!(
        picture.dimensions(),
        (good[0].width, good[0].height),
        "the one that was answered is the one that is kept"
    );
}

#[tokio::test]
async fn a_ticket_runs_out() {
    let album = Album::with(Plan::default().set("picture_ticket_ttl", "500ms"), 1).await;
    let mut ann = Person::arrives(album.a(), "ann", &[]).await;
    let sent = png(30, 30, 1);
    let id = new_id();
    let ticket = ann.asks_leave(id, "image", sent.len()).await;
    until("the ticket has run out", async || put(album.a(), &ticket.upload, &sent).await.status.as_u16() == 403).await;
    put(album.a(), &ticket.upload, &sent).await.refused(403, ErrorCode::TokenExpired);
    // Another one for the same wish is good again.
    let ticket = ann.asks_leave(id, "image", sent.len()).await;
    assert!(put(album.a(), &ticket.upload, &sent).await.status.is_success());
}
