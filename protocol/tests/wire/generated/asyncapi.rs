//! The WebSocket as an AsyncAPI 3 document: one channel, a receive operation with its reply for each method, send operations for pushes.
//! Must never hold a schema of its own: all come from the types.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use tidings_protocol::error::Refusal;
use tidings_protocol::ids::RequestId;
use tidings_protocol::position::Seq;
use tidings_protocol::push::Notice;
use tidings_protocol::{SUBPROTOCOL, WEBSOCKET_PATH, entity, feed::FeedName, reply, request};

use super::{View, generator, merged};
use crate::calls::{for_each_event, for_each_method};

const CHANNEL: &str = "#/channels/socket";

#[derive(Default)]
struct Parts {
    /// Of the channel, by name.
    messages: Map<String, Value>,
    operations: Map<String, Value>,
}

impl Parts {
    fn message(&mut self, name: &str, summary: &str, payload: &Value) {
        let message = json!({ "name": name, "summary": summary, "payload": payload });
        self.messages.insert(name.to_owned(), message);
    }

    fn method(&mut self, name: &str, id: &Value, params: &Value, result: &Value) {
        let (asked, answered) = (format!("{name}.request"), format!("{name}.reply"));
        let payload = object(json!({ "id": id, "method": { "const": name }, "params": params }));
        self.message(&asked, &format!("Asks for {name}."), &payload);
        let payload = object(json!({ "id": id, "result": result }));
        self.message(&answered, &format!("Answers {name}."), &payload);
        let operation = json!({
            "action": "receive",
            "channel": { "$ref": CHANNEL },
            "messages": [on_channel(&asked)],
            "reply": {
                "channel": { "$ref": CHANNEL },
                "messages": [on_channel(&answered), on_channel("refusal")],
            },
        });
        self.operations.insert(name.to_owned(), operation);
    }

    fn sends(&mut self, name: &str, summary: &str, messages: &[Value]) {
        let operation = json!({
            "action": "send",
            "summary": summary,
            "channel": { "$ref": CHANNEL },
            "messages": messages,
        });
        self.operations.insert(name.to_owned(), operation);
    }
}

/// An object all of whose properties must be there.
fn object(properties: Value) -> Value {
    let required: Vec<String> = properties.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
    json!({ "type": "object", "required": required, "properties": properties })
}

fn on_channel(message: &str) -> Value {
    json!({ "$ref": format!("{CHANNEL}/messages/{message}") })
}

pub fn document() -> Value {
    // AsyncAPI's own schema format is a superset of draft 07.
    let at = "/components/schemas";
    let mut accepted = generator(SchemaSettings::draft07(), at, View::Accepted);
    let mut sent = generator(SchemaSettings::draft07(), at, View::Sent);
    let mut parts = Parts::default();

    let id = json!(sent.subschema_for::<RequestId>());
    macro_rules! methods {
        ($($name:literal: $params:path => $result:path,)*) => { $(
            parts.method($name, &id, &json!(accepted.subschema_for::<$params>()), &json!(sent.subschema_for::<$result>()));
        )* };
    }
    for_each_method!(methods);
    let or_null = json!({ "anyOf": [id, { "type": "null" }] });
    let refusal = object(json!({ "id": or_null, "error": sent.subschema_for::<Refusal>() }));
    parts.message("refusal", "Says why a request was not done.", &refusal);

    let (feed, seq) = (json!(sent.subschema_for::<FeedName>()), json!(sent.subschema_for::<Seq>()));
    let mut events = Vec::new();
    macro_rules! events {
        ($($name:literal: $entity:path,)*) => { $(
            let data = json!(sent.subschema_for::<$entity>());
            let payload = object(json!({ "feed": feed, "seq": seq, "event": { "const": $name }, "data": data }));
            parts.message($name, "An event of a feed.", &payload);
            events.push(on_channel($name));
        )* };
    }
    for_each_event!(events);
    parts.sends("feed", "Events of the feeds that are watched.", &events);
    let notice = json!(sent.subschema_for::<Notice>());
    parts.message("notice", "A message about the connection.", &notice);
    let notices = [on_channel("notice")];
    parts.sends("notice", "Messages about the connection.", &notices);
    assemble(parts, merged(&mut accepted, &mut sent))
}

fn assemble(parts: Parts, schemas: Map<String, Value>) -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tidings",
            "version": "1",
            "description": "The WebSocket of tidings.v1 as the server sees it: it receives requests and sends replies and pushes. PROTOCOL.md says what the messages mean.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": { "socket": {
            "address": WEBSOCKET_PATH,
            "description": "One WebSocket, one JSON object in each text frame.",
            "messages": parts.messages,
            "bindings": { "ws": {
                "method": "GET",
                "headers": {
                    "type": "object",
                    "required": ["Sec-WebSocket-Protocol"],
                    "properties": { "Sec-WebSocket-Protocol": { "const": SUBPROTOCOL } },
                },
            } },
        } },
        "operations": parts.operations,
        "components": { "schemas": schemas },
    })
}
