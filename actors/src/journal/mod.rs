//! The write path: one writer at a time, in batches.

pub mod actor;
pub mod machine;
