//! The examination of `tidings.v1`: golden frames, decoder, round trips, generated documents.
//! Must never need anything but the crate itself: no socket, no clock, no other crate of Tidings.

mod calls;
mod circle;
mod composing;
mod decoder;
mod documents;
mod files;
mod generated;
mod golden;
mod marks;
mod moderation;
mod notes;
mod pictures;
mod positions;
mod round_trip;
mod samples;
mod search;
mod threads;
