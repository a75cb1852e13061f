//! Faults of the process itself: panics, rows that cannot be read, too few descriptors, peers that vanish or never read, a node that leaves.
//! Must never show more than it says: each fault is really there, and each test says what else goes on meanwhile.

#[path = "process/admission.rs"]
mod admission;
#[path = "process/client.rs"]
mod client;
#[path = "process/descriptors.rs"]
mod descriptors;
#[path = "process/house.rs"]
mod house;
#[path = "process/isolation.rs"]
mod isolation;
#[path = "process/leaving.rs"]
mod leaving;
#[path = "process/nodes.rs"]
mod nodes;
#[path = "process/poison.rs"]
mod poison;
#[path = "process/silence.rs"]
mod silence;
