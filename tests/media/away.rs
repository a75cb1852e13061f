//! When what is needed is away: the folder, the database, a node that dies. What was answered stays (P10), and what goes on is shown.

use tidings_protocol::error::ErrorCode;

use crate::album::{Album, call, get, new_id, put, until};
use crate::person::Person;
use crate::pictures::png;
use crate::world::Plan;

#[tokio::test]
async fn p2_while_the_folder_cannot_be_written_nothing_is_promised() {
    let album = Album::one_node().await;
    let node = album.a();
    let mut ann = Person::arrives(node, "ann", &[]).await;
    // A file in the folder's place: a full or broken disk, for root as for everybody.
    std::fs::write(album.pictures(), "in the way").unwrap();
    let (id, sent) = (new_id(), png(60, 60, 1));
    let ticket = ann.asks_leave(id, "image", sent.len()).await;
    let away = put(node, &ticket.upload, &sent).await;
    assert_eq!(away.header("retry-after"), Some("5"));
    away.refused(503, ErrorCode::Unavailable);
    let unknown = ann.refused("media.get", serde_json::json!({ "id": id })).await;
    assert_eq!(unknown.code, ErrorCode::NotFound);
    std::fs::remove_file(album.pictures()).unwrap();
    let media = put(node, &ticket.upload, &sent).await.media();
    assert_eq!(get(node, &media.url).await.status.as_u16(), 200);
}

#[tokio::test]
async fn p10_without_the_database_pictures_are_shown_and_none_is_taken() {
    let mut album = Album::with(Plan::default().own_postgres(), 1).await;
    let mut ann = Person::arrives(album.a(), "ann", &[]).await;
    let media = ann.sends_picture(album.a(), "image", &png(60, 60, 1)).await;
    let sent = png(60, 60, 2);
    let ticket = ann.asks_leave(new_id(), "image", sent.len()).await;
    album.world.postgres().kill9().unwrap();
    assert_eq!(get(album.a(), &media.url).await.status.as_u16(), 200);
    put(album.a(), &ticket.upload, &sent).await.refused(503, ErrorCode::Unavailable);
    assert_eq!(album.files().len(), 3);
    let refusal = ann.refused("media.ticket", crate::album::wish(new_id(), "image", 9)).await;
    assert!(refusal.code == ErrorCode::Unavailable && refusal.retry);
    album.world.postgres().start_again().unwrap();
    until("it is taken", async || put(album.a(), &ticket.upload, &sent).await.status.is_success()).await;
}

#[tokio::test]
async fn p10_what_was_answered_outlives_the_node_and_what_was_not_is_sent_again() {
    let mut album = Album::one_node().await;
    let mut ann = Person::arrives(album.a(), "ann", &[]).await;
    let media = ann.sends_picture(album.a(), "image", &png(60, 60, 1)).await;
    // Large enough to be in work when the node dies, or not even there.
    let sent = png(1_600, 1_600, 2);
    let ticket = ann.asks_leave(new_id(), "image", sent.len()).await;
    let sending = call(reqwest::Client::new().put(format!("{}{}", album.a().url(), ticket.upload)).body(sent.clone()));
    let sending =
        tokio::spawn(async move { tokio::time::timeout(std::time::Duration::from_millis(200), sending).await });
    drop(sending.await);
    album.world.nodes[0].kill9().unwrap();
    album.world.nodes[0].restart().unwrap();
    assert_eq!(get(album.a(), &media.url).await.status.as_u16(), 200);
    let again = put(album.a(), &ticket.upload, &sent).await;
    assert!(again.status.is_success(), "{again:?}");
    assert_eq!(album.files().len(), 6);
}
