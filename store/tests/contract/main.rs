//! The examination of the store against a real Postgres, named by the promises of the design.
//! Must never look inside the store: only its ports, and the tables by `psql` where a promise is about what is stored.

mod accounts;
mod dumb;
mod faults;
mod forgetting;
mod journal;

mod model;
mod permissions;
mod reads;
mod retries;
mod world;
