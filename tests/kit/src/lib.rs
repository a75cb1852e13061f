//! What tests need of the real world: a Postgres, a Redis, and servers that run, hang and die on command.
//!
//! Black box only: it knows binaries, URLs and signals, and nothing of Tidings' crates. Everything it starts listens
//! on loopback or a private socket, and ends with the test, also when the test is killed. All calls block; in an
//! async test whose own tasks must go on meanwhile, call them in `spawn_blocking`.

mod harness;
mod node;
mod postgres;
mod program;
mod proxy;
mod redis;
mod small_disk;
mod wait;

pub use harness::harness;
pub use node::{Node, NodeBuilder};
pub use postgres::{Backup, Database, Postgres, PrivatePostgres, TEST_POSTGRES};
pub use proxy::{Blow, Counts, Door, Proxy, Upstream, Way, Weather};
pub use redis::{Redis, TEST_REDIS};
pub use small_disk::SmallDisk;
pub use tidings_private_postgres::{Halt, Options};
pub use wait::{free_port, until};
