//! Arbitrary words about threads, as [`crate::samples`] for the rest.

use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::limits::SLOW_SECONDS;
use tidings_protocol::request::{self, Method, PostSlow};
use tidings_protocol::threads::{Commenters, LockedBy};

use crate::samples::{comment_id, post_id};

pub fn commenters() -> impl Strategy<Value = Commenters> {
    select(&Commenters::ALL)
}

pub fn locked() -> impl Strategy<Value = Option<LockedBy>> {
    of(prop_oneof![Just(LockedBy::Author), Just(LockedBy::Moderator)])
}

pub fn method() -> impl Strategy<Value = Method> {
    let post = || post_id().prop_map(|id| request::PostRef { id });
    let comment = || comment_id().prop_map(|id| request::CommentRef { id });
    prop_oneof![
        post().prop_map(Method::PostLock),
        post().prop_map(Method::PostUnlock),
        (post_id(), 0..10_000_u32).prop_map(|(id, seconds)| Method::PostSlow(PostSlow { id, seconds })),
        (post_id(), commenters())
            .prop_map(|(id, comments)| Method::PostComments(request::PostComments { id, comments })),
        comment().prop_map(Method::CommentHide),
        comment().prop_map(Method::CommentUnhide),
    ]
}

#[test]
fn a_pause_of_more_than_an_hour_is_refused_by_its_field() {
    let slow = |seconds| PostSlow { id: tidings_protocol::ids::PostId(uuid::Uuid::nil()), seconds };
    assert_eq!(slow(0).check(), Ok(()));
    assert_eq!(slow(SLOW_SECONDS).check(), Ok(()));
    let refused = slow(SLOW_SECONDS + 1).check().expect_err("an end, no pause");
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Invalid, Some("seconds")));
}
