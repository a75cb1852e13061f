//! The database suffers, and what people see of it: promotion, restore, crashes, a full disk, locks, and revocation under faults.
//! Black box: real servers, real Postgres, the protocol alone. Must never assert a time but as a generous bound; times are printed.

#[path = "conversations/line.rs"]
#[allow(dead_code, reason = "shared with the conversations, which use more of it")]
mod line;
#[path = "conversations/deeds.rs"]
#[allow(dead_code, reason = "shared with the conversations, which use more of it")]
mod people;
#[path = "conversations/person.rs"]
#[allow(dead_code, reason = "shared with the conversations, which use more of it")]
mod person;
#[path = "conversations/rest.rs"]
mod rest;
#[path = "conversations/state.rs"]
#[allow(dead_code, reason = "shared with the conversations, which use more of it")]
mod state;

#[path = "faults/deeds.rs"]
mod deeds;
#[path = "faults/door.rs"]
mod door;
#[path = "faults/world.rs"]
#[allow(dead_code, reason = "the world of all files of this target")]
mod world;

#[path = "faults/bounds.rs"]
mod bounds;
#[path = "faults/crash.rs"]
mod crash;
#[path = "faults/failover.rs"]
mod failover;
#[path = "faults/private.rs"]
mod private;
#[path = "faults/redis_failover.rs"]
mod redis_failover;
#[path = "faults/revocation.rs"]
mod revocation;
#[path = "faults/storage.rs"]
mod storage;
