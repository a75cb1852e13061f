//! The living part of Tidings: the domain, the ports to the outside, pure machines, and the actors around them.
//! Must never know SQL, Redis, HTTP, sockets or the environment; `store`, `bus` and the gate bring those through [`ports`].

pub mod account;
mod bulkhead;
mod clock;
pub mod command;
pub mod counters;
pub mod entry;
pub mod feed;
pub mod frame;
pub mod hot_log;
pub mod journal;
pub mod limits;
pub mod link;
mod news;
pub mod node;
pub mod outbox;
pub mod ports;
pub mod presence;
pub mod publishing;
pub mod purse;
pub mod session;
#[cfg(test)]
mod sim;
pub mod starts;
pub mod tail;
#[cfg(test)]
mod testing;
pub mod user;
pub mod worker;
pub mod workshop;
