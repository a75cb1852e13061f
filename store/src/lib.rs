//! Postgres behind the ports of `tidings-actors`: the journal, the reads, the accounts.
//! Must never know actors, sockets or the environment, and never hold a lock across a round trip to the database.

mod accounts;
mod agenda;
mod audit;
mod commit;
mod deeds;
mod durability;
mod faults;
mod forget;
mod furthest;
mod gather;
mod journal;
mod keys;
mod line;
mod media;
mod operator;
mod reads;
mod search;
mod shape;
mod store;
mod tokens;

pub use audit::{LogCheck, known_line};
pub use durability::DURABILITY;
pub use operator::{NotDone, Standing};
pub use store::{Store, StoreOptions};
