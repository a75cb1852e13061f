//! TypeScript types of every frame in one file, with a map from method to parameters and result and one from event to entity.
//! Must never contain `bigint`: `JSON.parse` never gives one.

use std::collections::BTreeMap;
use std::fmt::Write;

use tidings_protocol::close::AfterClose;
use tidings_protocol::push::{EventName, FeedPush, Notice};
use tidings_protocol::request::Request;
use tidings_protocol::rest::{Login, RefreshToken, RestError, SignUp, Tokens};
use tidings_protocol::{entity, reply, request};
use ts_rs::{Config, TS, TypeVisitor};

use crate::calls::{for_each_event, for_each_method};

/// Declarations by name.
struct Declarations {
    config: Config,
    found: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // What has no name of its own (a map, a list) is not declared.
        if T::output_path().is_none() {
            return;
        }
        let name = T::ident(&self.config);
        if self.found.contains_key(&name) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        // A generic type is declared as what it is with its own entity.
        let declaration = T::decl_concrete(&self.config);
        self.found.insert(name, tidy(&format!("{docs}export {declaration}\n")));
        T::visit_dependencies(self);
    }
}

/// One-line comments on one line, fields indented, no trailing spaces: ts-rs leaves layout to formatters, and there is none here.
fn tidy(declaration: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut inside = false;
    for line in declaration.replace(", };", ",\n};").lines() {
        let line = line.trim_end();
        let closes = line.ends_with(';');
        let first = lines.last().is_some_and(|last| last.trim() == "/**");
        if let (true, Some(text)) = (first, line.trim().strip_prefix("* ")) {
            lines.pop();
            lines.push(indented(inside, &format!("/** {text}")));
        } else if line.trim() == "*/" && lines.last().is_some_and(|last| last.contains("/** ")) {
            if let Some(last) = lines.last_mut() {
                last.push_str(" */");
            }
        } else {
            lines.push(indented(inside && line != "};", line));
        }
        inside = !closes && (inside || line.starts_with("export "));
    }
    lines.join("\n") + "\n"
}

fn indented(inside: bool, line: &str) -> String {
    format!("{}{line}", if inside { "  " } else { "" })
}

const HEAD: &str = "\
// Made from the Rust types in protocol/src by `TIDINGS_UPDATE=1 cargo test -p tidings-protocol`; changes here are lost.
// What the frames mean: PROTOCOL.md.
";

const FRAMES: &str = "
/** An answer to a request. `id` is null only where the request's could not be read. */
export type Reply<R = unknown> = { id: RequestId; result: R } | { id: RequestId | null; error: Refusal };

/** Anything the server sends. */
export type ServerFrame = Reply | FeedPush | Notice;

/** Names of all methods. */
export type MethodName = keyof Methods;
";

pub fn document() -> String {
    let mut all = Declarations { config: Config::new().with_large_int("number"), found: BTreeMap::new() };
    all.visit::<Request>();
    all.visit::<FeedPush>();
    all.visit::<Notice>();
    all.visit::<EventName>();
    all.visit::<AfterClose>();
    all.visit::<SignUp>();
    all.visit::<Login>();
    all.visit::<RefreshToken>();
    all.visit::<Tokens>();
    all.visit::<RestError>();
    let mut maps = String::new();
    maps.push_str("\n/** Parameters and result of each method. */\nexport interface Methods {\n");
    macro_rules! methods {
        ($($name:literal: $params:path => $result:path,)*) => { $(
            all.visit::<$params>();
            all.visit::<$result>();
            let (params, result) = (<$params>::ident(&all.config), <$result>::ident(&all.config));
            writeln!(maps, "  \"{}\": {{ params: {params}; result: {result} }};", $name).expect("a string takes all");
        )* };
    }
    for_each_method!(methods);
    maps.push_str("}\n\n/** What each event of a feed carries as `data`. */\nexport interface Events {\n");
    macro_rules! events {
        ($($name:literal: $entity:path,)*) => { $(
            writeln!(maps, "  \"{}\": {};", $name, <$entity>::ident(&all.config)).expect("a string takes all");
        )* };
    }
    for_each_event!(events);
    maps.push_str("}\n");
    let declarations: Vec<String> = all.found.into_values().collect();
    let document = format!("{HEAD}\n{}{FRAMES}{maps}", declarations.join("\n"));
    assert!(!document.contains("bigint"), "a number became bigint");
    document
}
