//! Arbitrary settings and drafts, as [`crate::samples`] for the rest.

use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use tidings_protocol::drafts::{Draft, DraftContent};
use tidings_protocol::entity::{Removed, Visibility};
use tidings_protocol::error::ErrorCode;
use tidings_protocol::push::Event;
use tidings_protocol::request::{self, Method};
use tidings_protocol::settings::{PresenceChoice, Settings, SettingsUpdate, Theme};
use tidings_protocol::text::{DraftText, Warning};
use tidings_protocol::threads::Commenters;

use crate::samples::{cursor, millis, post_id, seq, uuid};

fn visibility() -> impl Strategy<Value = Visibility> {
    select(&[Visibility::Public, Visibility::Followers, Visibility::Mentioned, Visibility::Private])
}

fn choices() -> impl Strategy<Value = SettingsUpdate> {
    let theme = select(&[Theme::System, Theme::Light, Theme::Dark]);
    let comments = select(&Commenters::ALL);
    let presence = select(&[PresenceChoice::Shown, PresenceChoice::Hidden]);
    (of(theme), of(visibility()), of(comments), of(presence))
        .prop_map(|(theme, visibility, comments, presence)| SettingsUpdate { theme, visibility, comments, presence })
}

pub fn settings() -> impl Strategy<Value = Settings> {
    (seq(), choices()).prop_map(|(rev, chosen)| Settings { rev, chosen })
}

fn content() -> impl Strategy<Value = DraftContent> {
    let text = "[a-zé日\n ]{0,20}".prop_map(|text| DraftText::parse(text).expect("no control characters"));
    let warning = "[a-z]{1,10}".prop_map(|text| Warning::parse(text).expect("one line"));
    (of(text), of(visibility()), of(warning), of(post_id()), of(select(&Commenters::ALL)))
        .prop_map(|(text, visibility, warning, of, comments)| DraftContent { text, visibility, warning, of, comments })
}

fn draft() -> impl Strategy<Value = Draft> {
    let failed = select(&[ErrorCode::Forbidden, ErrorCode::NotFound, ErrorCode::Conflict]);
    ((post_id(), seq(), content()), (millis(), of(millis()), any::<bool>(), of(failed))).prop_map(
        |((id, rev, content), (changed_at, publish_at, publishing, failed))| Draft {
            id,
            rev,
            content,
            changed_at,
            publish_at,
            publishing,
            failed,
        },
    )
}

pub fn method() -> impl Strategy<Value = Method> {
    prop_oneof![
        choices().prop_map(Method::SettingsUpdate),
        (post_id(), content(), of(millis()), of(seq())).prop_map(|(id, content, publish_at, if_rev)| {
            let DraftContent { text, visibility, warning, of, comments } = content;
            Method::DraftPut(request::DraftPut { id, text, visibility, warning, of, comments, publish_at, if_rev })
        }),
        post_id().prop_map(|id| Method::DraftDelete(request::DraftRef { id })),
        (of(cursor()), of(1..=100_u16))
            .prop_map(|(before, limit)| Method::DraftPage(request::DraftPage { before, limit })),
    ]
}

pub fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        settings().prop_map(Event::SettingsUpdated),
        draft().prop_map(Event::DraftUpdated),
        (uuid(), seq()).prop_map(|(id, rev)| Event::DraftRemoved(Removed { id, rev })),
    ]
}
