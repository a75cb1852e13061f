//! The examination of the store against a real Postgres, named by the promises of the design.
//! Must never look inside the store: only its ports, and the tables by `psql` where a promise is about what is stored.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on stops right there; what it does not expect, it panics on"
)]

mod accounts;
mod asked_again;
mod bots;
mod circle;
mod dumb;
mod faults;
mod forgetting;
mod home;
mod journal;
mod lives;
mod log_ins;
mod marks;
mod media;
mod model;
mod moderation;
mod notes;
mod permissions;
mod pictures;
mod reads;
mod retries;
mod search;
mod threads;
mod world;
