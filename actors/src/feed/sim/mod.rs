//! The feed table in a seeded world of people, slow readers and broken connections, beside a plain list of the whole journal.
//! `world` and `sessions` play, `reader` is the near end of a line; `cases` holds what is clearer told one by one. The list and the clients are
//! those of `crate::sim`.

mod cases;
mod reader;
mod sessions;
mod world;
