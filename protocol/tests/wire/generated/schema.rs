//! One JSON Schema (draft 2020-12) for every frame: client frames as the server accepts them, server frames as it sends them.
//! Must never list a method that the table of calls does not.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use tidings_protocol::push::{FeedPush, Notice};
use tidings_protocol::request::Request;
use tidings_protocol::{reply, request};

use super::{View, generator, merged};
use crate::calls::for_each_method;

pub fn document() -> Value {
    let mut accepted = generator(SchemaSettings::draft2020_12(), "/$defs", View::Accepted);
    let mut sent = generator(SchemaSettings::draft2020_12(), "/$defs", View::Sent);
    let request = json!(accepted.subschema_for::<Request>());
    let refusal = sent.subschema_for::<tidings_protocol::error::Refusal>();
    let request_id = sent.subschema_for::<tidings_protocol::ids::RequestId>();
    let (push, notice) = (sent.subschema_for::<FeedPush>(), sent.subschema_for::<Notice>());
    let mut methods = Map::new();
    macro_rules! methods {
        ($($name:literal: $params:path => $result:path,)*) => { $(
            methods.insert($name.to_owned(), json!({
                "params": accepted.subschema_for::<$params>(),
                "result": sent.subschema_for::<$result>(),
            }));
        )* };
    }
    for_each_method!(methods);
    let mut definitions = merged(&mut accepted, &mut sent);
    let results: Vec<&Value> = methods.values().map(|method| &method["result"]).collect();
    definitions.insert(
        "Reply".to_owned(),
        json!({
            "description": "An answer. Which result belongs to which method: see `x-methods`.",
            "oneOf": [
                { "type": "object", "required": ["id", "result"], "properties": { "id": request_id, "result": { "anyOf": results } } },
                { "type": "object", "required": ["id", "error"], "properties": { "id": { "anyOf": [request_id, { "type": "null" }] }, "error": refusal } },
            ],
        }),
    );
    definitions.insert(
        "ClientFrame".to_owned(),
        json!({ "description": "Anything a client sends.", "$ref": request["$ref"] }),
    );
    definitions.insert(
        "ServerFrame".to_owned(),
        json!({ "description": "Anything the server sends.", "oneOf": [{ "$ref": "#/$defs/Reply" }, push, notice] }),
    );
    definitions.sort_keys();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:tidings:v1",
        "title": "tidings.v1",
        "description": "Every frame of the WebSocket. Made from the Rust types in protocol/src; see PROTOCOL.md.",
        "anyOf": [{ "$ref": "#/$defs/ClientFrame" }, { "$ref": "#/$defs/ServerFrame" }],
        "x-methods": methods,
        "$defs": definitions,
    })
}
