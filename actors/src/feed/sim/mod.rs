//! The feed table in a seeded world of people, slow readers and broken connections, beside a plain list of the whole journal.
//! `world` and `sessions` play, `reader` is the far end of a line, `model` is the dumb list; `cases` holds what is clearer told one by one.

mod cases;
mod model;
mod reader;
mod sessions;
mod world;
