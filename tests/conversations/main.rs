//! Conversations with real servers, named by what they show. They speak the protocol over sockets, and know nothing of the server
//! but its binary, its settings and its address. Must never sleep: each wait is for something that must come, with a deadline.

mod deeds;
mod line;
mod person;
mod rest;
mod state;
mod world;

mod bad_input;
mod bots;
mod canaries;
mod circle;
mod comments;
mod composing;
mod convergence;
mod demo;
mod faults;
mod feeds;
mod firehose;
mod leaving_for_good;
mod marks;
mod matrix;
mod moderation;
mod modes;
mod nodes;
mod notifications;
mod oracle;
mod presence;
mod python_bot;
mod reading;
mod sampled;
mod search;
mod sessions;
mod sight;
mod threads;
mod tokens;
mod writing;
