//! The feed table in a seeded world of people, slow readers and broken connections, beside a plain list of the whole journal.
//! `world` and `sessions` play, `script` is what people do, `reader` is the near end of a line, `oracle` says who may be told what; `cases`,
//! `firehose` and `narrow` hold what is clearer told one by one. The list and the clients are those of `crate::sim`.

mod cases;
mod firehose;
mod modes;
mod narrow;
mod oracle;
mod reader;
mod sampled;
mod script;
mod sessions;
mod world;
