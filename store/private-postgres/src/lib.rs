//! A private Postgres cluster, run from the server binaries that are installed on the machine.
//!
//! Owns one folder: the cluster's files, its socket, its log and the lock that says who owns it. It never listens on
//! TCP, never touches a cluster it did not make, and never runs Postgres as root (Postgres would refuse).
//! Whatever happened to the last owner, also `kill -9`, the next start works: what was left running is ended first.

mod account;
mod address;
mod binaries;
mod birth;
mod cluster;
mod command;
mod fault;
mod leash;
mod places;
mod running;
mod server;
mod stray;

pub use binaries::{Binaries, OLDEST_MAJOR, find_binaries};
pub use cluster::{Cluster, Halt, Options};
pub use fault::Fault;
pub use leash::{Leash, Rope};
pub use places::default_folder;
pub use running::url_of_running;
