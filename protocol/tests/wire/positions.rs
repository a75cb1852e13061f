//! `Seq`, `Epoch` and `Cursor` against models that are too simple to be wrong.
//! Must never use the arithmetic it examines.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tidings_protocol::limits::MAX_SAFE_INTEGER;
use tidings_protocol::position::{Cursor, Epoch, Meet, Seq};

use crate::samples;

proptest! {
    /// A client that ticks off single entries.
    #[test]
    fn meeting_a_range_against_a_list_of_entries(applied in 0..30_u64, first in 1..30_u64, more in 0..10_u64) {
        let have: BTreeSet<u64> = (1..=applied).collect();
        let arriving: BTreeSet<u64> = (first..=first + more).collect();
        let missing: Vec<u64> = (1..first).filter(|seq| !have.contains(seq)).collect();
        let expected = if arriving.is_subset(&have) {
            Meet::Repeat
        } else if let (Some(from), Some(to)) = (missing.first(), missing.last()) {
            Meet::Hole { from: Seq(*from), to: Seq(*to) }
        } else {
            Meet::Next
        };
        prop_assert_eq!(Seq(applied).meet(Seq(first), Seq(first + more)), expected);
    }

    #[test]
    fn meeting_never_overflows(applied in any::<u64>(), first in any::<u64>(), last in any::<u64>()) {
        let meet = Seq(applied).meet(Seq(first), Seq(last));
        prop_assert_eq!(meet == Meet::Repeat, last <= applied);
    }

    #[test]
    fn epochs_are_written_in_one_way(epoch in samples::epoch()) {
        let text = epoch.to_string();
        prop_assert_eq!(text.parse(), Ok(epoch));
        prop_assert_eq!(u64::from_str_radix(&text, 36), Ok(epoch.0));
    }

    #[test]
    fn a_text_is_no_epoch_or_that_epochs_text(text in "[0-9a-zA-Z+-]{0,14}|0{0,3}[0-9a-z]{0,3}") {
        if let Ok(epoch) = text.parse::<Epoch>() {
            prop_assert_eq!(epoch.to_string(), text);
        }
    }

    #[test]
    fn cursors_are_written_in_one_way(cursor in samples::cursor()) {
        prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn a_text_is_no_cursor_or_that_cursors_text(text in "\\PC{0,12}|[0-9a-z]{0,14}-{0,2}[0-9+-]{0,18}") {
        if let Ok(cursor) = text.parse::<Cursor>() {
            prop_assert_eq!(cursor.to_string(), text);
            prop_assert!(cursor.seq.0 <= MAX_SAFE_INTEGER);
        }
    }

    /// The one thing that PROTOCOL.md lets clients do with a cursor.
    #[test]
    fn replacing_what_stands_behind_the_last_dash(cursor in samples::cursor(), seq in samples::seq()) {
        let text = cursor.to_string();
        let (life, _) = text.rsplit_once('-').expect("cursors hold a dash");
        prop_assert_eq!(format!("{life}-{seq}").parse(), Ok(Cursor { seq, ..cursor }));
    }
}

#[test]
fn meeting_at_the_ends_of_numbers() {
    assert_eq!(Seq(0).meet(Seq(1), Seq(1)), Meet::Next);
    assert_eq!(Seq(0).meet(Seq(0), Seq(0)), Meet::Repeat);
    assert_eq!(Seq(u64::MAX).meet(Seq(u64::MAX), Seq(u64::MAX)), Meet::Repeat);
    assert_eq!(Seq(u64::MAX - 1).meet(Seq(u64::MAX), Seq(u64::MAX)), Meet::Next);
    assert_eq!(Seq(0).before(), Seq(0));
}

#[test]
fn positions_beyond_what_javascript_keeps_are_refused() {
    assert!(serde_json::from_str::<Seq>("9007199254740991").is_ok());
    for wrong in ["9007199254740992", "18446744073709551616", "-1", "1.0", "\"1\"", "null"] {
        assert!(serde_json::from_str::<Seq>(wrong).is_err(), "{wrong}");
    }
}
