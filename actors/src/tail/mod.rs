//! From rumours (own commits, the bus) and truth (Postgres) to one contiguous sequence.

pub mod actor;
pub mod machine;
