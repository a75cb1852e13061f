//! What a session weighs, by part: the table of docs/performance.md. Bounds, so that a part that grows is noticed where it grows.

use std::rc::Rc;

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;

use super::table::{Slot, ViewerSlot};
use crate::link::Link;
use crate::session::actor::Session;
use crate::user::actor::User;

/// Whom each viewer of the table follows.
const FOLLOWEES: usize = 200;

#[test]
fn a_session_weighs_what_the_table_says() {
    // Without its socket.
    let link = size_of::<Link<()>>();
    let session = size_of::<Session>();
    // The actor's own state and its mailbox's channel; what actix keeps besides is measured, not told.
    let context = size_of::<actix::Context<Session>>();
    let slot = size_of::<Slot<Rc<Link>>>() + size_of::<FeedName>();
    let user = size_of::<User>() + size_of::<actix::Context<User>>();
    // Once for each user on a worker, not for each session: the sorted list, and a place in the list of each author.
    let circle = size_of::<ViewerSlot>() + FOLLOWEES * (size_of::<UserId>() + size_of::<u32>());
    // Once for each author anybody here follows.
    let author = size_of::<UserId>() + size_of::<Vec<u32>>() + size_of::<usize>();
    println!("session {session}, its context {context}, link {link}, place in the table {slot}");
    println!("user {user}, circle of {FOLLOWEES} {circle}, author {author}");
    for (part, weighs, most) in [
        ("session", session, 512),
        ("context", context, 256),
        ("link", link, 512),
        ("slot", slot, 192),
        ("user", user, 384),
        ("circle", circle, 4_224),
        ("author", author, 64),
    ] {
        assert!(weighs <= most, "{part}: {weighs} bytes, more than {most}: is it worth that, ten thousand times?");
    }
}
