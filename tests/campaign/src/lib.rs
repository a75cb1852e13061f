//! Breaks a running Tidings in every way one machine allows, under load, and has it examined.
//!
//! Owns the world, the faults and their order, and the account of it all. Never judges what clients saw: that is
//! `tidings-load examine`, which knows nothing of what is done here.

pub mod account;
pub mod campaign;
pub mod examiner;
pub mod fault;
pub mod nemesis;
pub mod plot;
pub mod report;
pub mod resources;
pub mod round;
pub mod summary;
pub mod world;
