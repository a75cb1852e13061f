//! Arbitrary reports, cases and actions, as [`crate::samples`] for the rest.

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use tidings_protocol::entity::Role;
use tidings_protocol::ids::{ActionId, CaseId, ReportId};
use tidings_protocol::moderation::{
    About, Action, ActionKind, Appeal, AppealState, Case, CaseAction, CaseState, Copied, Reason, Report, SettledAs,
};
use tidings_protocol::push::Event;
use tidings_protocol::request::{self, Method};
use tidings_protocol::text::Note;

use crate::samples::{author, comment_id, cursor, millis, post_id, seq, user_id, uuid};

pub fn reason() -> impl Strategy<Value = Reason> {
    select(vec![Reason::Spam, Reason::Hate, Reason::SelfHarm, Reason::Other])
}

fn kind() -> impl Strategy<Value = ActionKind> {
    use ActionKind::{Ban, Delete, Hide, Reinstate, Suspend, Unhide, Warn};
    select(vec![Hide, Unhide, Delete, Warn, Suspend, Ban, Reinstate])
}

fn about() -> impl Strategy<Value = About> {
    (of(user_id()), of(post_id()), of(comment_id())).prop_map(|(user, post, comment)| About { user, post, comment })
}

fn note() -> impl Strategy<Value = Note> {
    "\\PC{1,20}".prop_filter_map("not a note", |text| Note::parse(text).ok())
}

fn outcome() -> impl Strategy<Value = SettledAs> {
    select(vec![SettledAs::Acted, SettledAs::Dismissed])
}

fn appeal() -> impl Strategy<Value = Appeal> {
    let state = select(vec![AppealState::Open, AppealState::Accepted, AppealState::Rejected]);
    (state, any::<String>(), millis(), of(any::<String>())).prop_map(|(state, text, at, reply)| Appeal {
        state,
        text,
        at,
        reply,
    })
}

pub fn case() -> BoxedStrategy<Case> {
    let words = (of(any::<String>()), of(any::<String>()), millis(), any::<bool>());
    let copy = words.prop_map(|(text, name, created_at, hidden)| Copied {
        text,
        name,
        created_at,
        hidden,
        ..Copied::default()
    });
    let action = (uuid(), kind(), of(author()), reason(), millis(), any::<bool>(), of(appeal()));
    let action = action.prop_map(|(id, action, by, reason, at, ended, appeal)| CaseAction {
        id: ActionId(id),
        action,
        by,
        reason,
        note: None,
        until: ended.then_some(at),
        at,
        ended,
        appeal,
    });
    let state = select(vec![CaseState::Open, CaseState::Claimed, CaseState::Settled]);
    let seen = (state, of(author()), of(outcome()), millis(), of(millis()));
    let reported = (of(copy), any::<u32>(), btree_map(reason(), any::<u32>(), 0..3));
    (uuid(), seq(), seq(), about(), author(), reported, seen, vec(action, 0..3))
        .prop_map(|(id, rev, seq, about, author, (copy, count, reasons), seen, actions)| {
            let (state, by, outcome, at, settled_at) = seen;
            let id = CaseId(id);
            Case { id, rev, seq, about, author, copy, count, reasons, state, by, outcome, at, settled_at, actions }
        })
        .boxed()
}

pub fn event() -> impl Strategy<Value = Event> {
    let report = (uuid(), seq(), about(), reason(), of(any::<String>()), millis(), of(outcome()));
    let report = report.prop_map(|(id, rev, about, reason, note, at, outcome)| Report {
        id: ReportId(id),
        rev,
        about,
        reason,
        note,
        at,
        outcome,
    });
    let action = (uuid(), seq(), kind(), about(), reason(), of(any::<String>()), millis(), any::<bool>(), of(appeal()));
    let action = action.prop_map(|(id, rev, action, about, reason, note, at, ended, appeal)| Action {
        id: ActionId(id),
        rev,
        action,
        about,
        reason,
        text: note.clone(),
        note,
        until: ended.then_some(at),
        at,
        ended,
        appeal,
    });
    prop_oneof![
        case().prop_map(|case| Event::CaseUpdated(Box::new(case))),
        report.prop_map(Event::ReportUpdated),
        action.prop_map(|action| Event::ActionUpdated(Box::new(action))),
    ]
}

fn limit() -> impl Strategy<Value = Option<u16>> {
    of(1..=100_u16)
}

pub fn method() -> impl Strategy<Value = Method> {
    let own = || (of(cursor()), limit()).prop_map(|(before, limit)| request::OwnPage { before, limit });
    let which = || uuid().prop_map(|id| request::CaseRef { id: CaseId(id) });
    let thing = || (of(user_id()), of(post_id()), of(comment_id()));
    let role = select(vec![Role::User, Role::Moderator, Role::Admin]);
    prop_oneof![
        (uuid(), thing(), reason(), of(note())).prop_map(|(id, (user, post, comment), reason, note)| {
            Method::ReportCreate(request::ReportCreate { id: ReportId(id), user, post, comment, reason, note })
        }),
        own().prop_map(Method::ReportPage),
        own().prop_map(Method::AccountActions),
        (uuid(), note()).prop_map(|(action, text)| {
            Method::AppealCreate(request::AppealCreate { action: ActionId(action), text })
        }),
        (uuid(), any::<bool>(), of(note())).prop_map(|(action, accept, note)| {
            Method::AppealSettle(request::AppealSettle { action: ActionId(action), accept, note })
        }),
        (any::<bool>(), of(cursor()), limit())
            .prop_map(|(settled, before, limit)| { Method::ModPage(request::CasePage { settled, before, limit }) }),
        which().prop_map(Method::ModGet),
        which().prop_map(Method::ModSettle),
        (uuid(), any::<bool>())
            .prop_map(|(id, release)| Method::ModClaim(request::CaseClaim { id: CaseId(id), release })),
        (uuid(), of(uuid()), thing(), kind(), reason(), of(note()), of(millis())).prop_map(
            |(id, case, (user, post, comment), action, reason, note, until)| {
                let (id, case) = (ActionId(id), case.map(CaseId));
                Method::ModAct(request::ModAct { id, case, user, post, comment, action, reason, note, until })
            }
        ),
        (user_id(), role).prop_map(|(id, role)| Method::ModRole(request::ModRole { id, role })),
        (of(0..1_000_u64), limit()).prop_map(|(before, limit)| Method::ModLog(request::LogPage { before, limit })),
    ]
}
