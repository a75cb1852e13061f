//! One connection's conversation: `hello`, requests in order, feeds, the end.

pub mod actor;
pub mod bots;
pub mod circle;
mod company;
mod drafts;
pub mod ears;
mod feeds;
mod greet;
mod jobs;
pub mod machine;
mod marks;
mod media;
mod methods;
mod moderation;
mod notes;
pub(crate) mod posts;
mod pulse;
mod refresh;
mod renew;
pub mod scopes;
mod search;
mod watching;
