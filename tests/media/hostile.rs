//! What others send to do harm, or break off: a clear answer, nothing left behind, nobody else harmed (P2, P7, P8).

use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use tidings_protocol::error::ErrorCode;
use tidings_testkit::Node;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::album::{Album, ask, call, get, new_id, put, until};
use crate::person::Person;
use crate::pictures::{bomb, contains, photo, png};

#[tokio::test]
async fn p8_what_is_no_picture_is_refused_and_leaves_nothing() {
    let album = Album::one_node().await;
    let node = album.a();
    let mut ann = Person::arrives(node, "ann", &[]).await;
    let (good, lying) = (png(200, 100, 1), photo(200, 100));
    let mut cut_jpeg = lying.clone();
    cut_jpeg.truncate(lying.len() - 30);
    let bad: [(Vec<u8>, u16); 9] = [
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec(), 415),
        (b"<!doctype html><script>alert(1)</script>".to_vec(), 415),
        (b"%PDF-1.7 whatever".to_vec(), 415),
        (vec![0; 5_000], 415),
        (good[..good.len() / 2].to_vec(), 422),
        (b"\x89PNG\r\n\x1a\nand nothing more".to_vec(), 422),
        (b"GIF89a".to_vec(), 422),
        (cut_jpeg, 422),
        (bomb(), 422),
    ];
    for (bytes, status) in bad {
        let ticket = ann.asks_leave(new_id(), "image", bytes.len()).await;
        put(node, &ticket.upload, &bytes).await.refused(status, ErrorCode::Invalid);
        // The same ticket is still good for a good one.
        let small = png(1, 1, 1);
        if small.len() <= bytes.len() {
            assert_eq!(put(node, &ticket.upload, &small).await.status.as_u16(), 201);
            ann.request::<serde_json::Value>("media.delete", serde_json::json!({ "id": last_kept(&album) }))
                .await
                .unwrap();
        }
    }
    assert_eq!(album.files(), Vec::<std::path::PathBuf>::new());
    // A picture with a page hidden in it is a picture, without the page.
    let mut both = good.clone();
    both.extend_from_slice(b"<html><script>alert(1)</script>");
    let media = ann.sends_picture(node, "image", &both).await;
    let shown = get(node, &media.url).await;
    assert!(!contains(&shown.body, b"script"));
    assert_eq!(shown.header("content-type"), Some("image/png"));
}

/// The id of the picture that was kept last.
fn last_kept(album: &Album) -> String {
    album.psql("select id from media where state = 1 order by idle_ms desc limit 1")
}

#[tokio::test]
async fn p7_a_body_must_say_how_long_it_is_and_keep_to_it() {
    let album = Album::one_node().await;
    let node = album.a();
    let mut ann = Person::arrives(node, "ann", &[]).await;
    let sent = png(60, 60, 1);
    let ticket = ann.asks_leave(new_id(), "image", sent.len()).await;
    let url = format!("{}{}", node.url(), ticket.upload);
    put(node, &ticket.upload, &[sent.clone(), vec![0; 1]].concat()).await.refused(413, ErrorCode::BadRequest);
    put(node, &ticket.upload, &vec![0; 900_000]).await.refused(413, ErrorCode::BadRequest);
    let chunked = "PUT PATH HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let answer = raw(node, &chunked.replace("PATH", &ticket.upload)).await;
    assert!(answer.starts_with("HTTP/1.1 411"), "{answer}");
    let huge = format!("PUT {} HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000000000\r\n\r\n", ticket.upload);
    let answer = raw(node, &huge).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // Who sends all of it before they read is still told, instead of finding the line cut.
    let head = format!("PUT {} HTTP/1.1\r\nhost: x\r\ncontent-length: 900000\r\n\r\n", ticket.upload);
    let answer = raw(node, &(head + &"x".repeat(900_000))).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let packed = Client::new().put(&url).header("content-encoding", "gzip").body(sent.clone());
    call(packed).await.refused(415, ErrorCode::BadRequest);
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let answer = ask(node, method, &ticket.upload, ("accept", "*/*")).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("PUT")));
    }
    assert_eq!(put(node, &ticket.upload, &sent).await.status.as_u16(), 201, "none of that has spoilt the ticket");
}

/// Sends this and reads the first line of the answer and what comes with it.
async fn raw(node: &Node, request: &str) -> String {
    let mut line = TcpStream::connect(node.address()).await.unwrap();
    line.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 2_000];
    let read = tokio::time::timeout(Duration::from_secs(20), line.read(&mut answer)).await.expect("an answer in time");
    String::from_utf8_lossy(&answer[..read.unwrap()]).into_owned()
}

/// Begins to send and goes no further.
async fn begins(node: &Node, upload: &str, length: usize) -> TcpStream {
    let mut line = TcpStream::connect(node.address()).await.unwrap();
    let head = format!("PUT {upload} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n\x7fPNG");
    line.write_all(head.as_bytes()).await.unwrap();
    line
}

#[tokio::test]
async fn p7_who_breaks_off_gives_the_place_back_and_who_takes_all_of_theirs_harms_nobody() {
    let album = Album::one_node().await;
    let node = album.a();
    let mut ann = Person::arrives(node, "ann", &[]).await;
    let mut bob = Person::arrives(node, "bob", &[]).await;
    let sent = png(60, 60, 1);
    let ticket = ann.asks_leave(new_id(), "image", 50_000).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(begins(node, &ticket.upload, 50_000).await);
    }
    let taken = b"tidings_media_uploads_under_way 4\n";
    until("all of Ann's places are taken", async || contains(&get(node, "/metrics").await.body, taken)).await;
    let full = put(node, &ticket.upload, &sent).await;
    assert_eq!(full.header("retry-after"), Some("2"));
    full.refused(429, ErrorCode::Overloaded);
    assert!(bob.sends_picture(node, "image", &sent).await.bytes > 0);
    held.clear();
    until("a place is free again", async || put(node, &ticket.upload, &sent).await.status.as_u16() == 201).await;
    assert_eq!(album.files().len(), 6, "of the two that came whole");
}

#[tokio::test]
async fn p7_a_trickle_is_given_up() {
    let album = Album::one_node().await;
    let node = album.a();
    let mut ann = Person::arrives(node, "ann", &[]).await;
    let ticket = ann.asks_leave(new_id(), "image", 50_000).await;
    let began = Instant::now();
    let mut line = begins(node, &ticket.upload, 50_000).await;
    let mut answer = [0; 2_000];
    let reading = async {
        loop {
            // A byte now and then, so that it never quite stops.
            let read = tokio::time::timeout(Duration::from_millis(500), line.peek(&mut answer)).await;
            match read {
                Ok(read) => return read.unwrap(),
                Err(_) => line.write_all(b"x").await.unwrap(),
            }
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(40), reading).await.expect("given up in time");
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(began.elapsed() > Duration::from_secs(8), "a slow line has its time");
    assert_eq!(album.files(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn p5_no_address_leads_out_of_the_folder() {
    let album = Album::one_node().await;
    let node = album.a();
    let mut ann = Person::arrives(node, "ann", &[]).await;
    let media = ann.sends_picture(node, "image", &png(60, 60, 1)).await;
    std::fs::write(album.folder.path().join("secret"), "a secret").unwrap();
    let id = media.id;
    let (upper, plain) = (id.to_string().to_uppercase(), id.to_string().replace('-', ""));
    for path in [
        format!("/media/{}/full", new_id()),
        format!("/media/{id}/640"),
        format!("/media/{id}/full/"),
        format!("/media/{id}"),
        format!("/media/{upper}/full"),
        format!("/media/{plain}/full"),
        format!("/media/{id}/%2e%2e%2fsecret"),
        format!("/media/{id}/..%2f..%2f..%2fsecret"),
        "/media/..%2f..%2fsecret/full".to_owned(),
        "/media/%00/full".to_owned(),
        format!("/media/{id}/full%23"),
    ] {
        let answer = get(node, &path).await;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
        assert!(!contains(&answer.body, b"a secret"));
    }
    // Whatever else lies in the folder is not shown either.
    let file = album.files().into_iter().find(|file| file.ends_with("full")).unwrap();
    std::fs::write(&file, "<html><script>alert(1)</script>").unwrap();
    get(node, &media.url).await.refused(503, ErrorCode::Unavailable);
}
