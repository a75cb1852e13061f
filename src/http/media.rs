//! Pictures over HTTP: bytes in by ticket, bytes out by address. Whatever is wrong with them is answered before it is believed.
//! Must never look into a picture itself, nor take a byte more than the ticket is good for.

mod faces;

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH,
};
use actix_web::web::{self, Bytes, BytesMut, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use tidings_media::{
    AWAY_AGAIN_MS, BUSY_AGAIN_MS, BadTicket, FIRST_BYTES_MS, LEAST_BYTES_PER_SECOND, Shown, Spoilt, TakenIn, Turned,
    Variant,
};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::MediaId;
use tidings_protocol::media::MediaGot;
use tokio::time::Instant;

use super::Front;
use super::fault::Refused;
use super::wrong_method;

/// A picture never changes under its address.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Opened by itself, a picture may do nothing at all.
const NOTHING: &str = "default-src 'none'; sandbox";

/// The routes.
pub(super) fn routes(app: &mut ServiceConfig) {
    app.service(
        web::resource("/api/v1/media/{ticket}")
            .route(web::put().to(take_in))
            .default_service(web::to(|| wrong_method("PUT"))),
    )
    .service(
        web::resource("/media/avatar/{user}/{rev}")
            .route(web::get().to(faces::show))
            .route(web::head().to(faces::show))
            .default_service(web::to(|| wrong_method("GET, HEAD"))),
    )
    .service(
        web::resource("/media/{id}/{variant}")
            .route(web::get().to(show))
            .route(web::head().to(show))
            .default_service(web::to(|| wrong_method("GET, HEAD"))),
    );
}

async fn take_in(
    front: Data<Front>,
    request: HttpRequest,
    ticket: Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Refused> {
    let TakenIn { media, again } = take(&front, &request, &ticket, &mut payload.into_inner()).await?;
    let mut answer = if again { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(answer.insert_header((CACHE_CONTROL, "no-store")).json(MediaGot { media }))
}

async fn take(front: &Front, request: &HttpRequest, ticket: &str, payload: &mut Payload) -> Result<TakenIn, Refused> {
    let ticket = front.gallery.read_ticket(ticket).map_err(bad_ticket)?;
    let declared = declared_length(request)?;
    let most = usize::try_from(ticket.bytes).unwrap_or(usize::MAX);
    if declared > most {
        return Err(too_large(most));
    }
    let berth = front.gallery.berth(ticket.owner).map_err(turned)?;
    let sent = gather(payload, declared).await?;
    let taken = front.gallery.take_in(&ticket, sent).await.map_err(turned);
    // Held until nothing of it is in memory any more.
    drop(berth);
    taken
}

/// How long the body says it is. Without that nothing is read: who sends for as long as they like does not say.
fn declared_length(request: &HttpRequest) -> Result<usize, Refused> {
    if request.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Refused::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed"));
    }
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    length.ok_or_else(|| Refused::with_status(StatusCode::LENGTH_REQUIRED, "the body must say how long it is"))
}

/// The whole body, if it comes at a fair pace.
async fn gather(payload: &mut Payload, declared: usize) -> Result<Bytes, Refused> {
    let began = Instant::now();
    let mut bytes = BytesMut::with_capacity(declared);
    loop {
        let deadline = began + allowance(bytes.len());
        let part = tokio::time::timeout_at(deadline, payload.next()).await;
        let part = part.map_err(|_| Refused::with_status(StatusCode::REQUEST_TIMEOUT, "the body comes too slowly"))?;
        let Some(part) = part else { break };
        let part = part.map_err(|_| Refused::with_status(StatusCode::BAD_REQUEST, "the body broke off"))?;
        if bytes.len() + part.len() > declared {
            return Err(too_large(declared));
        }
        bytes.extend_from_slice(&part);
    }
    if bytes.len() < declared {
        return Err(Refused::with_status(StatusCode::BAD_REQUEST, "the body broke off"));
    }
    Ok(bytes.freeze())
}

/// By when something more must have come, counted from the beginning, once so much is there.
fn allowance(received: usize) -> Duration {
    let bytes = u64::try_from(received).unwrap_or(u64::MAX);
    Duration::from_millis(FIRST_BYTES_MS + bytes.saturating_mul(1_000) / LEAST_BYTES_PER_SECOND)
}

async fn show(
    front: Data<Front>,
    request: HttpRequest,
    address: Path<(String, String)>,
) -> Result<HttpResponse, Refused> {
    let (id, variant) = address.into_inner();
    let id: MediaId = one_way_to_write(&id).ok_or_else(Refused::nothing_here)?;
    let variant = Variant::parse(&variant).ok_or_else(Refused::nothing_here)?;
    let shown = look_up(&front, id, variant).await?.ok_or_else(Refused::nothing_here)?;
    Ok(picture(&request, shown, FOR_EVER))
}

/// The file of a picture, if there is one.
async fn look_up(front: &Front, id: MediaId, variant: Variant) -> Result<Option<Shown>, Refused> {
    front.gallery.show(id, variant).await.map_err(|fault| {
        tracing::error!(%fault, "a picture could not be shown");
        turned(Turned::Away)
    })
}

/// A picture, or that the reader has it already.
fn picture(request: &HttpRequest, shown: Shown, keep: &'static str) -> HttpResponse {
    let known = request.headers().get_all(IF_NONE_MATCH).filter_map(|header| header.to_str().ok());
    let fresh = known.flat_map(|header| header.split(',')).any(|known| {
        let known = known.trim().trim_start_matches("W/");
        known == shown.tag || known == "*"
    });
    let mut answer = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header((CACHE_CONTROL, keep))
        .insert_header((CONTENT_SECURITY_POLICY, NOTHING))
        .insert_header((ETAG, shown.tag));
    if fresh {
        return answer.finish();
    }
    answer.content_type(shown.media_type.as_str()).body(SizedStream::new(shown.bytes, shown.stream))
}

/// Ids are a cache's keys: one way to write each.
fn one_way_to_write<I: FromStr + Display>(id: &str) -> Option<I> {
    id.parse().ok().filter(|parsed: &I| parsed.to_string() == id)
}

fn too_large(most: usize) -> Refused {
    Refused::with_status(StatusCode::PAYLOAD_TOO_LARGE, &format!("the body must be at most {most} bytes"))
}

fn bad_ticket(bad: BadTicket) -> Refused {
    let code = match bad {
        BadTicket::Expired => ErrorCode::TokenExpired,
        BadTicket::Invalid => ErrorCode::BadToken,
    };
    Refused::from_refusal(StatusCode::FORBIDDEN, Refusal::new(code, bad.to_string()))
}

fn turned(turned: Turned) -> Refused {
    let refusal = |code| Refusal::new(code, turned.to_string());
    match turned {
        Turned::Busy => refusal(ErrorCode::Overloaded).after_ms(BUSY_AGAIN_MS).into(),
        Turned::Away => refusal(ErrorCode::Unavailable).after_ms(AWAY_AGAIN_MS).into(),
        Turned::Other => refusal(ErrorCode::Conflict).into(),
        Turned::Gone => Refused::from_refusal(StatusCode::GONE, refusal(ErrorCode::NotFound)),
        Turned::Spoilt(Spoilt::Type) => {
            Refused::from_refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, refusal(ErrorCode::Invalid))
        }
        Turned::Spoilt(Spoilt::Broken | Spoilt::Pixels) => {
            Refused::from_refusal(StatusCode::UNPROCESSABLE_ENTITY, refusal(ErrorCode::Invalid))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p7_a_trickle_runs_out_of_time_and_a_slow_line_does_not() {
        assert_eq!(allowance(0), Duration::from_secs(10));
        assert_eq!(allowance(8 * 1024 * 1024), Duration::from_secs(10 + 128));
        let trickle = (1..).find(|second| allowance(*second) < Duration::from_secs(*second as u64));
        assert!(trickle.is_some_and(|second| second < 15), "a byte a second: {trickle:?}");
    }

    #[test]
    fn an_id_is_written_in_one_way() {
        let id = "01920000-0002-7000-8000-00000000abcd";
        assert!(one_way_to_write::<MediaId>(id).is_some());
        for other in
            [id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}"), format!("urn:uuid:{id}"), "..".to_owned()]
        {
            assert!(one_way_to_write::<MediaId>(&other).is_none(), "{other}");
        }
    }
}
