//! The opening handshake: which requests become connections, and what the others are told.

use actix_codec::Framed;
use actix_http::body::BodySize;
use actix_http::error::DispatchError;
use actix_http::header::{HOST, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use actix_http::{HttpMessage, Request, Response, StatusCode, body::BoxBody, h1, ws};
use actix_rt::net::TcpStream;
use futures_util::SinkExt;
use tidings_protocol::{SUBPROTOCOL, WEBSOCKET_PATH};

use crate::origin::Origins;

/// Decides about a request: the head that accepts it, or the one that refuses it.
pub(super) fn decide(request: &Request, origins: &Origins) -> Result<Response<()>, Response<()>> {
    if request.path() != WEBSOCKET_PATH {
        return Err(refuse(StatusCode::NOT_FOUND));
    }
    let header = |name| request.headers().get(name).map(HeaderValue::to_str);
    let (Ok(origin), Ok(host)) = (header(ORIGIN).transpose(), header(HOST).transpose()) else {
        return Err(refuse(StatusCode::BAD_REQUEST));
    };
    if request.headers().get_all(ORIGIN).count() > 1 || !origins.allow(origin, host) {
        return Err(refuse(StatusCode::FORBIDDEN));
    }
    let mut accept = match ws::handshake(request.head()) {
        Ok(accept) => accept,
        Err(error) => return Err(Response::<BoxBody>::from(error).drop_body()),
    };
    match offered(request) {
        Offer::Ours => {
            accept.insert_header((SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL));
        }
        // Clients that cannot offer any are served all the same: there is only this one.
        Offer::None => {}
        Offer::Others => return Err(refuse(StatusCode::BAD_REQUEST)),
    }
    Ok(accept.finish().drop_body())
}

enum Offer {
    Ours,
    None,
    Others,
}

fn offered(request: &Request) -> Offer {
    let mut any = false;
    for header in request.headers().get_all(SEC_WEBSOCKET_PROTOCOL) {
        for name in header.to_str().unwrap_or_default().split(',') {
            any = true;
            if name.trim() == SUBPROTOCOL {
                return Offer::Ours;
            }
        }
    }
    if any { Offer::Others } else { Offer::None }
}

/// A refusal without a body; the connection ends with it.
pub(super) fn refuse(status: StatusCode) -> Response<()> {
    let mut response = Response::<BoxBody>::new(status).drop_body();
    response.head_mut().set_connection_type(actix_http::ConnectionType::Close);
    response
}

/// Sends the head of an answer.
pub(super) async fn send(framed: &mut Framed<TcpStream, h1::Codec>, head: Response<()>) -> Result<(), DispatchError> {
    let size = if head.status() == StatusCode::SWITCHING_PROTOCOLS { BodySize::None } else { BodySize::Sized(0) };
    framed.send(h1::Message::Item((head, size))).await.map_err(DispatchError::Io)
}
