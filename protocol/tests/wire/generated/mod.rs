//! The committed documents made from the types: JSON Schema, TypeScript, AsyncAPI, OpenAPI. A test each fails when one has drifted.
//! Must never describe what the types do not say, but for HTTP, which only `openapi` knows.

mod asyncapi;
mod openapi;
mod schema;
mod typescript;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value};

use crate::files::must_equal;

/// Whose view of a type a schema gives.
#[derive(Clone, Copy)]
enum View {
    /// What the server accepts.
    Accepted,
    /// What the server sends.
    Sent,
}

fn generator(settings: SchemaSettings, at: &'static str, view: View) -> SchemaGenerator {
    let settings = settings.with(|s| {
        s.definitions_path = at.into();
        s.meta_schema = None;
    });
    match view {
        View::Accepted => settings.for_deserialize(),
        View::Sent => settings.for_serialize(),
    }
    .into_generator()
}

/// The definitions of both views in one table. A type that both use must look the same from both sides.
fn merged(accepted: &mut SchemaGenerator, sent: &mut SchemaGenerator) -> Map<String, Value> {
    let mut all = accepted.take_definitions(true);
    for (name, schema) in sent.take_definitions(true) {
        if let Some(other) = all.get(&name) {
            assert_eq!(other, &schema, "{name} is accepted and sent in two forms");
        }
        all.insert(name, schema);
    }
    all.sort_keys();
    all
}

/// JSON in two-space indentation, with a line end.
fn pretty(json: &Value) -> String {
    let mut text = serde_json::to_string_pretty(json).expect("JSON encodes");
    text.push('\n');
    text
}

#[test]
fn json_schema_is_current() {
    must_equal("protocol/generated/tidings.v1.schema.json", &pretty(&schema::document()));
}

#[test]
fn asyncapi_is_current() {
    must_equal("protocol/generated/asyncapi.json", &pretty(&asyncapi::document()));
}

#[test]
fn openapi_is_current() {
    must_equal("protocol/generated/openapi.json", &pretty(&openapi::document()));
}

#[test]
fn typescript_is_current() {
    must_equal("clients/js/src/protocol.d.ts", &typescript::document());
}
