//! One connection's conversation: `hello`, requests in order, feeds, the end.

pub mod actor;
mod feeds;
mod greet;
mod jobs;
pub mod machine;
mod pulse;
mod refresh;
mod renew;
