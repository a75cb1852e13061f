//! Forgetting: what nothing shows goes after a day, what something shows stays, and nothing is left of what went. Carried out by hand, with the
//! clock of the rows set back.

use std::sync::Arc;

use tidings_media::{Gallery, Options, Place};
use tidings_protocol::error::ErrorCode;
use tidings_store::{Store, StoreOptions};

use crate::album::{Album, get, new_id, put};
use crate::person::Person;
use crate::pictures::png;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A gallery on the same database and folder, as another node has it.
fn gallery(album: &Album) -> Gallery {
    let store = Store::connect(album.world.database.url(), &StoreOptions::default()).unwrap();
    let place = Place::Folder(album.pictures());
    let options = Options { place, ticket_ms: 1, painters: 1, waiting: 1 };
    Gallery::open(options, Arc::new(store), &[0; 32]).unwrap()
}

fn goes_back(album: &Album, ms: u64) {
    album.psql(&format!("update media set idle_ms = idle_ms - {ms}, created_ms = created_ms - {ms}"));
}

#[tokio::test]
async fn what_nothing_shows_is_forgotten_and_what_something_shows_is_not() {
    let album = Album::one_node().await;
    let node = album.a();
    let mut ann = Person::arrives(node, "ann", &[]).await;
    let shown = ann.sends_picture(node, "image", &png(60, 60, 1)).await;
    let unused = ann.sends_picture(node, "image", &png(60, 60, 2)).await;
    let (never, sent) = (new_id(), png(60, 60, 3));
    let ticket = ann.asks_leave(never, "image", sent.len()).await;
    let owner = ann.id();
    let take = |ids: &str| format!("select media_take('{owner}', 1::smallint, array[{ids}]::uuid[])");
    let (one, other) = (format!("'{}'", shown.id), format!("'{}'", unused.id));
    // All of them, or none: one that was never sent, one of another kind, one of somebody else.
    for (sql, good) in [
        (take(&format!("{one}, '{never}'")), "f"),
        (take(&one).replace("1::smallint", "0::smallint"), "f"),
        (take(&one).replace(&owner.to_string(), &new_id().to_string()), "f"),
        (take(&one), "t"),
        (take(&format!("{one}, {one}")), "t"),
        (format!("select count(*) from media where id = {other} and used = 0"), "1"),
        (format!("select used from media where id = {one}"), "2"),
    ] {
        assert_eq!(album.psql(&sql), good, "{sql}");
    }
    let conflict = ann.refused("media.delete", serde_json::json!({ "id": shown.id })).await;
    assert_eq!(conflict.code, ErrorCode::Conflict);
    let gallery = gallery(&album);
    assert_eq!(gallery.forget_unused().await.unwrap(), 0, "nothing is a day old");
    goes_back(&album, DAY_MS + 1_000);
    assert_eq!(gallery.forget_unused().await.unwrap(), 0, "condemned, and left alone for an hour");
    assert_eq!(get(node, &unused.url).await.status.as_u16(), 200, "whoever looks at it now still may");
    assert_eq!(album.psql(&take(&other)), "f", "but nothing may show it any more");
    put(node, &ticket.upload, &sent).await.refused(410, ErrorCode::NotFound);
    goes_back(&album, DAY_MS);
    assert_eq!(gallery.forget_unused().await.unwrap(), 2);
    get(node, &unused.url).await.refused(404, ErrorCode::NotFound);
    assert_eq!(get(node, &shown.url).await.status.as_u16(), 200);
    assert_eq!(album.files().len(), 3);
    assert_eq!(album.psql("select count(*) from media"), "1");
    // Shown by nothing any more, it has another day.
    for left in ["1", "0"] {
        album.psql(&format!("select media_let_go(array[{one}]::uuid[])"));
        assert_eq!(album.psql(&format!("select used from media where id = {one}")), left);
    }
    assert_eq!(gallery.forget_unused().await.unwrap(), 0);
    goes_back(&album, DAY_MS + 1_000);
    gallery.forget_unused().await.unwrap();
    goes_back(&album, DAY_MS);
    assert_eq!(gallery.forget_unused().await.unwrap(), 1);
    assert_eq!(album.files(), Vec::<std::path::PathBuf>::new());
}
