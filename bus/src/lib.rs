//! Owns the bus between nodes: rumours of what was committed, and whispers of what is true only for a moment, told in one process
//! ([`InProcess`]) or over Redis ([`RedisBus`]).
//! Must never hold truth, and must never make a caller wait: a bus may lose, repeat, reorder and die, and costs latency at most.

mod back_off;
mod budget;
mod in_process;
mod limits;
mod redis;
mod sealed;
mod spoken;
mod tally;

pub use in_process::{Hub, InProcess};
pub use redis::{BadRedisUrl, RedisBus, RedisOptions};
pub use tally::Counts;
