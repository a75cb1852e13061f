//! The page and the client library it uses, embedded in the binary.
//! Must never serve a file whose kind is not in the list below, nor anything from outside the two folders.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::{
    ACCEPT_ENCODING, AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, ETAG, Encoding, Header as _, IF_NONE_MATCH, VARY,
};
use actix_web::web::{self, Bytes, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use dashmap::DashMap;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::fault::Refused;
use super::wrong_method;

#[derive(RustEmbed)]
#[folder = "web/"]
#[allow_missing = true]
struct Web;

#[derive(RustEmbed)]
#[folder = "clients/js/src/"]
#[allow_missing = true]
struct Client;

/// Files made small, by their hashes: each is made so once. As many as there are files.
static SMALL: LazyLock<DashMap<[u8; 32], Bytes>> = LazyLock::new(DashMap::new);

/// The routes. They take every path that is left, so they come last.
pub(super) fn routes(app: &mut ServiceConfig) {
    let read = |path: &str| web::resource(path.to_owned()).default_service(web::to(|| wrong_method("GET, HEAD")));
    app.service(read("/").route(web::get().to(index)).route(web::head().to(index)))
        .service(read("/client/{path:.+}").route(web::get().to(client)).route(web::head().to(client)))
        .service(
            web::resource("/{path:.+}")
                .route(web::get().to(file))
                .route(web::head().to(file))
                .default_service(web::to(|| async { Err::<HttpResponse, _>(Refused::nothing_here()) })),
        );
}

async fn index(request: HttpRequest) -> Result<HttpResponse, Refused> {
    serve(&request, "index.html", Web::get)
}

async fn file(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, Refused> {
    serve(&request, &path, Web::get)
}

async fn client(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, Refused> {
    serve(&request, &path, Client::get)
}

fn serve(request: &HttpRequest, path: &str, find: fn(&str) -> Option<EmbeddedFile>) -> Result<HttpResponse, Refused> {
    let kind = kind(path).ok_or_else(Refused::nothing_here)?;
    let file = find(path).ok_or_else(Refused::nothing_here)?;
    let tag = tag(&file);
    let known = request.headers().get_all(IF_NONE_MATCH).filter_map(|header| header.to_str().ok());
    let fresh = known.flat_map(|header| header.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut answer = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // Names do not change with content, so browsers ask each time; mostly the answer is "not modified".
    answer.insert_header((ETAG, tag.clone())).insert_header((CACHE_CONTROL, "no-cache"));
    if fresh {
        return Ok(answer.finish());
    }
    answer.content_type(kind).insert_header((VARY, ACCEPT_ENCODING.as_str()));
    if kind.starts_with("text/") && takes_gzip(request) {
        // Other bytes of the same thing: the tag says so.
        answer.insert_header((ETAG, format!("W/{tag}"))).insert_header((CONTENT_ENCODING, "gzip"));
        return Ok(answer.body(small(&file)));
    }
    Ok(answer.body(file.data.into_owned()))
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let offered = [Encoding::gzip(), Encoding::identity()];
    request.headers().contains_key(ACCEPT_ENCODING)
        && AcceptEncoding::parse(request).is_ok_and(|wish| wish.negotiate(offered.iter()) == Some(Encoding::gzip()))
}

/// The page's 330 KB are 125 KB on the way.
fn small(file: &EmbeddedFile) -> Bytes {
    let hash = file.metadata.sha256_hash();
    if let Some(known) = SMALL.get(&hash) {
        return known.clone();
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let packed = packed.write_all(&file.data).and_then(|()| packed.finish());
    let packed = Bytes::from(packed.expect("memory takes what is written to it"));
    SMALL.insert(hash, packed.clone());
    packed
}

fn tag(file: &EmbeddedFile) -> String {
    let mut tag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..12] {
        // Writing to a string cannot fail.
        let _written = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// The kinds of files there are.
fn kind(path: &str) -> Option<&'static str> {
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    let (_, ending) = path.rsplit_once('.').filter(|_| !hidden)?;
    Some(match ending {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ts" if path.ends_with(".d.ts") => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn only_listed_kinds_are_served() {
        assert!(kind("index.html").is_some());
        assert!(kind("tidings.d.ts").is_some());
        for path in ["tidings.ts", "package.json", "README", ".env", ".git/x.js", "a/../b.js", "x.JS", "x.js/"] {
            assert_eq!(kind(path), None, "{path}");
        }
    }
}
