//! The REST part as an OpenAPI 3.1 document.
//! Must never hold a body's schema of its own: all come from the types.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use tidings_protocol::error::ErrorCode;
use tidings_protocol::media::MediaGot;
use tidings_protocol::rest::{Login, RefreshToken, RestError, SignUp, Tokens};

use super::{View, generator, merged};

/// Every refusal over HTTP: the status, the error codes it comes with, and whether `Retry-After` does.
const REFUSALS: &[(u16, &[ErrorCode], bool)] = &[
    (400, &[ErrorCode::BadRequest, ErrorCode::Invalid], false),
    (401, &[ErrorCode::BadCredentials, ErrorCode::BadToken, ErrorCode::TokenExpired], false),
    (409, &[ErrorCode::Conflict], false),
    (413, &[ErrorCode::BadRequest], false),
    (415, &[ErrorCode::BadRequest], false),
    (429, &[ErrorCode::RateLimited, ErrorCode::Overloaded], true),
    (500, &[ErrorCode::Internal], false),
    (503, &[ErrorCode::Unavailable], false),
];

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The body is not what it should be; `field` names what is wrong.",
        401 => "Name and password do not match, or the token is not valid any more.",
        409 => "The handle or e-mail address is taken; `field` says which.",
        413 => "The body is too large.",
        415 => "The body is not `application/json`.",
        429 => "Too many requests, or too many passwords being checked.",
        500 => "A fault in the server.",
        _ => "The server cannot do it now.",
    }
}

fn refusal(status: u16, codes: &[ErrorCode], retry_after: bool, error: &Value) -> Value {
    let mut response = json!({
        "description": meaning(status),
        "content": { "application/json": { "schema": {
            "allOf": [error, { "properties": { "error": { "properties": { "code": { "enum": codes } } } } }],
        } } },
    });
    if retry_after {
        response["headers"] = json!({ "Retry-After": {
            "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 1 },
        } });
    }
    response
}

/// A `POST` with a JSON body; `but` are the statuses that cannot happen.
fn post(summary: &str, body: &Value, done: (&str, Value), but: &[u16]) -> Value {
    let mut responses = Map::new();
    responses.insert(done.0.to_owned(), done.1);
    for (status, ..) in REFUSALS.iter().filter(|(status, ..)| !but.contains(status)) {
        let shared = json!({ "$ref": format!("#/components/responses/{status}") });
        responses.insert(status.to_string(), shared);
    }
    json!({ "post": {
        "summary": summary,
        "requestBody": { "required": true, "content": { "application/json": { "schema": body } } },
        "responses": responses,
    } })
}

fn get(summary: &str, media: &str, schema: &Value, unready: bool) -> Value {
    let mut responses = json!({ "200": { "description": "Here it is.", "content": { media: { "schema": schema } } } });
    if unready {
        responses["503"] = json!({ "description": "Not ready: send no new clients here." });
    }
    json!({ "get": { "summary": summary, "responses": responses } })
}

/// `PUT` of a picture's bytes.
fn upload(media: &Value, error: &Value) -> Value {
    let taken = |description: &str| json!({ "description": description, "content": { "application/json": { "schema": media } } });
    let refused = |description: &str| json!({ "description": description, "content": { "application/json": { "schema": error } } });
    let bytes = json!({ "type": "string", "contentEncoding": "binary" });
    let again =
        json!({ "Retry-After": { "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 1 } } });
    let mut busy = refused("`overloaded`: too many pictures are on their way, of everybody or of you.");
    let mut away = refused("`unavailable`: it cannot be kept now. The same again is safe.");
    busy["headers"] = again.clone();
    away["headers"] = again;
    json!({ "put": {
        "summary": "Sends a picture for a ticket of `media.ticket`. May be repeated.",
        "parameters": [{ "name": "ticket", "in": "path", "required": true, "schema": { "type": "string" } }],
        "requestBody": { "required": true, "content": {
            "image/png": { "schema": bytes }, "image/jpeg": { "schema": bytes },
            "image/webp": { "schema": bytes }, "image/gif": { "schema": bytes },
        } },
        "responses": {
            "201": taken("It is kept."),
            "200": taken("It was kept before."),
            "400": refused("The body broke off."),
            "403": refused("`bad_token`: this is no ticket. `token_expired`: ask for another one."),
            "408": refused("The body came too slowly."),
            "409": refused("`conflict`: another picture was sent under this id."),
            "410": refused("`not_found`: the picture has been deleted meanwhile."),
            "411": refused("The body must say how long it is."),
            "413": refused("The body is larger than the ticket is good for."),
            "415": refused("`invalid`: it is none of the types that are taken."),
            "422": refused("`invalid`: it is damaged, or has too many pixels."),
            "429": busy,
            "503": away,
        },
    } })
}

/// `GET` of a picture.
fn picture() -> Value {
    let bytes = json!({ "type": "string", "contentEncoding": "binary" });
    let text = json!({ "type": "string" });
    json!({ "get": {
        "summary": "A picture. Never changes under its address: keep it for ever.",
        "parameters": [
            { "name": "id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } },
            { "name": "variant", "in": "path", "required": true, "schema": { "type": "string", "enum": ["full", "320", "96"] } },
        ],
        "responses": {
            "200": {
                "description": "Here it is.",
                "headers": { "ETag": { "schema": text }, "Cache-Control": { "schema": text } },
                "content": { "image/png": { "schema": bytes }, "image/jpeg": { "schema": bytes }, "image/gif": { "schema": bytes } },
            },
            "304": { "description": "You have it." },
            "404": { "description": "There is none." },
        },
    } })
}

pub fn document() -> Value {
    let at = "/components/schemas";
    let mut accepted = generator(SchemaSettings::draft2020_12(), at, View::Accepted);
    let mut sent = generator(SchemaSettings::draft2020_12(), at, View::Sent);
    let sign_up = json!(accepted.subschema_for::<SignUp>());
    let login = json!(accepted.subschema_for::<Login>());
    let refresh = json!(accepted.subschema_for::<RefreshToken>());
    let tokens = json!(sent.subschema_for::<Tokens>());
    let error = json!(sent.subschema_for::<RestError>());
    let media = json!(sent.subschema_for::<MediaGot>());
    let with_tokens = |description: &str| json!({ "description": description, "content": { "application/json": { "schema": tokens } } });
    let text = json!({ "type": "string" });
    let key_set = json!({
        "type": "object", "required": ["keys"],
        "properties": { "keys": { "type": "array", "items": { "type": "object" } } },
    });
    let responses: Map<String, Value> = REFUSALS
        .iter()
        .map(|(status, codes, wait)| (status.to_string(), refusal(*status, codes, *wait, &error)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tidings",
            "version": "1",
            "description": "Sign up, log in, refresh, log out, pictures, and what operators ask. Everything else is on the WebSocket: see PROTOCOL.md.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": {
            "/api/v1/users": post("Signs up and logs in.", &sign_up, ("201", with_tokens("The account exists.")), &[401]),
            "/api/v1/auth/login": post("Logs in.", &login, ("200", with_tokens("Logged in.")), &[409]),
            "/api/v1/auth/refresh": post("New tokens for a refresh token, which is then used up.", &refresh, ("200", with_tokens("The new pair.")), &[409]),
            "/api/v1/auth/logout": post("Ends the log-in that a refresh token belongs to.", &refresh, ("204", json!({ "description": "It has ended." })), &[409]),
            "/api/v1/media/{ticket}": upload(&media, &error),
            "/media/{id}/{variant}": picture(),
            "/.well-known/jwks.json": get("The public keys that access tokens are signed with (RFC 7517).", "application/json", &key_set, false),
            "/healthz": get("Whether the process lives.", "text/plain", &text, false),
            "/readyz": get("Whether this node can serve new clients.", "text/plain", &text, true),
            "/metrics": get("Figures for Prometheus.", "text/plain", &text, false),
        },
        "components": { "schemas": merged(&mut accepted, &mut sent), "responses": responses },
    })
}
