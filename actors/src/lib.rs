//! The living part of Tidings: the domain, the ports to the outside, pure machines, and the actors around them.
//! Must never know SQL, Redis, HTTP, sockets or the environment; `store`, `bus` and the gate bring those through [`ports`].

pub mod command;
pub mod entry;
pub mod limits;
pub mod ports;
