//! The same in an object store that speaks S3: moto's server, from Python. Only with the feature `s3`; without moto it says so and ends.
//! `MOTO_SERVER` names the program.

use std::process::{Child, Command, Stdio};

use tidings_protocol::error::ErrorCode;
use tidings_testkit::free_port;

use crate::album::{get, new_id, put, until};
use crate::person::Person;
use crate::pictures::png;
use crate::world::Plan;

/// A server that ends with the test.
struct Moto(Child);

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A bucket in a server of our own; none if the program is not there.
async fn bucket(name: &str) -> Option<(Moto, String)> {
    let program = std::env::var("MOTO_SERVER").unwrap_or_else(|_| "moto_server".to_owned());
    let port = free_port().unwrap();
    let server = Command::new(program)
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let (server, url) = (Moto(server), format!("http://127.0.0.1:{port}"));
    let make = format!("{url}/{name}");
    until("the bucket is there", async || {
        let made = reqwest::Client::new().put(&make).send().await;
        made.is_ok_and(|answer| answer.status().is_success())
    })
    .await;
    Some((server, url))
}

#[tokio::test]
async fn pictures_live_in_a_bucket_as_well() {
    let Some((server, url)) = bucket("pictures").await else {
        println!("no moto_server here: PyPI has it as moto[server]");
        return;
    };
    let plan = Plan::default()
        .set("media_store", "s3://pictures/of/all")
        .set("media_s3_endpoint", &url)
        .set("media_s3_key_id", "tidings")
        .set("media_s3_key", "a key of tests");
    let world = plan.two_nodes().await;
    let mut ann = Person::arrives(world.a(), "ann", &[]).await;
    let (id, sent) = (new_id(), png(700, 500, 1));
    let ticket = ann.asks_leave(id, "image", sent.len()).await;
    let media = put(world.b(), &ticket.upload, &sent).await.media();
    assert_eq!(put(world.a(), &ticket.upload, &sent).await.status.as_u16(), 200);
    for path in [&media.url, &media.thumb_url] {
        let shown = get(world.a(), path).await;
        assert_eq!(shown.status.as_u16(), 200);
        image::load_from_memory(&shown.body).unwrap();
        let tag = shown.header("etag").unwrap().to_owned();
        let again = crate::album::ask(world.b(), reqwest::Method::GET, path, ("if-none-match", &tag)).await;
        assert_eq!(again.status.as_u16(), 304);
    }
    let _: serde_json::Value = ann.request("media.delete", serde_json::json!({ "id": id })).await.unwrap();
    get(world.a(), &media.url).await.refused(404, ErrorCode::NotFound);
    let other = ann.asks_leave(new_id(), "image", sent.len()).await;
    drop(server);
    put(world.a(), &other.upload, &sent).await.refused(503, ErrorCode::Unavailable);
}
