//! `tidings-load examine`: drives a deployment with many clients, writes down everything, and judges it by what the protocol promises.
//! Must never know anything of the server but its protocol.

mod history;
mod judge;
mod selftest;
