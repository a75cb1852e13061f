//! What a session is asked about reports, cases, actions and the log: as jobs and deeds, and how what is read is carried out.
//! Must never decide who is a moderator: that is the store's.

use bytes::Bytes;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::ids::{CaseId, CommentId, PostId, RequestId, UserId};
use tidings_protocol::limits::REPORTS_PER_DAY;
use tidings_protocol::position::Cursor;
use tidings_protocol::request::{CasePage, LogPage, ModAct, OwnPage, ReportCreate};
use uuid::Uuid;

use super::feeds::bounded;
use super::jobs::{not_found, place_in};
use super::methods::{entities, log_in_first};
use crate::command::{Act, Deed, ModeratedKind};
use crate::frame;
use crate::ports::Asked;
use crate::worker::Worker;

/// What somebody asks.
#[derive(Clone, Copy, Debug)]
pub enum ModerationJob {
    /// One's own reports.
    Reports(Option<Cursor>, u16),
    /// What was done to one.
    Actions(Option<Cursor>, u16),
    /// Settled cases, or all others.
    Cases(bool, Option<Cursor>, u16),
    /// One case.
    Case(CaseId),
    /// The log, before this line.
    Log(Option<u64>, u16),
}

/// # Errors
/// Nobody is logged in, or the page is too long.
pub(super) fn reports(viewer: Option<UserId>, page: OwnPage) -> Result<(UserId, ModerationJob), Refusal> {
    Ok((viewer.ok_or_else(log_in_first)?, ModerationJob::Reports(page.before, entities(page.limit)?)))
}

/// # Errors
/// As [`reports`].
pub(super) fn actions(viewer: Option<UserId>, page: OwnPage) -> Result<(UserId, ModerationJob), Refusal> {
    Ok((viewer.ok_or_else(log_in_first)?, ModerationJob::Actions(page.before, entities(page.limit)?)))
}

/// # Errors
/// As [`reports`].
pub(super) fn cases(viewer: Option<UserId>, page: CasePage) -> Result<(UserId, ModerationJob), Refusal> {
    let limit = entities(page.limit)?;
    Ok((viewer.ok_or_else(log_in_first)?, ModerationJob::Cases(page.settled, page.before, limit)))
}

/// # Errors
/// Nobody is logged in.
pub(super) fn case(viewer: Option<UserId>, case: CaseId) -> Result<(UserId, ModerationJob), Refusal> {
    Ok((viewer.ok_or_else(log_in_first)?, ModerationJob::Case(case)))
}

/// # Errors
/// As [`reports`].
pub(super) fn log(viewer: Option<UserId>, page: LogPage) -> Result<(UserId, ModerationJob), Refusal> {
    Ok((viewer.ok_or_else(log_in_first)?, ModerationJob::Log(page.before, entities(page.limit)?)))
}

/// # Errors
/// It names nothing to report, or more than one thing.
pub(super) fn report(report: ReportCreate) -> Result<Act, Refusal> {
    let ReportCreate { id, user, post, comment, reason, note } = report;
    let (kind, thing) = one_of(user, post, comment)?
        .ok_or_else(|| Refusal::new(ErrorCode::Invalid, "what? name a user, a post or a comment").field("post"))?;
    Ok(Act::Deed(Deed::Report { id, kind, thing, reason, note, most: REPORTS_PER_DAY }))
}

/// # Errors
/// It names nothing, or more than one thing.
pub(super) fn act(act: ModAct) -> Result<Act, Refusal> {
    let ModAct { id, case, user, post, comment, action, reason, note, until } = act;
    let about = one_of(user, post, comment)?;
    let (kind, thing) = about.unzip();
    if case.is_some() == thing.is_some() {
        let message = "about what? name either a case, or a user, a post or a comment";
        return Err(Refusal::new(ErrorCode::Invalid, message).field("case"));
    }
    Ok(Act::Deed(Deed::Moderate { id, case, kind, thing, action, reason, note, until }))
}

fn one_of(
    user: Option<UserId>,
    post: Option<PostId>,
    comment: Option<CommentId>,
) -> Result<Option<(ModeratedKind, Uuid)>, Refusal> {
    match (user, post, comment) {
        (None, None, None) => Ok(None),
        (Some(user), None, None) => Ok(Some((ModeratedKind::User, user.0))),
        (None, Some(post), None) => Ok(Some((ModeratedKind::Post, post.0))),
        (None, None, Some(comment)) => Ok(Some((ModeratedKind::Comment, comment.0))),
        _ => Err(Refusal::new(ErrorCode::Invalid, "one of user, post and comment").field("user")),
    }
}

pub(super) async fn carry_out(
    worker: &Worker,
    user: UserId,
    id: RequestId,
    job: ModerationJob,
) -> Result<Bytes, Refusal> {
    let (moderation, framing) = (&worker.node.moderation, worker.node.framing);
    match job {
        ModerationJob::Reports(before, limit) => {
            let before = place_in(worker, before)?;
            Ok(frame::result(framing, id, bounded(moderation.reports_page(user, before, limit)).await?))
        }
        ModerationJob::Actions(before, limit) => {
            let before = place_in(worker, before)?;
            Ok(frame::result(framing, id, bounded(moderation.actions_page(user, before, limit)).await?))
        }
        ModerationJob::Cases(settled, before, limit) => {
            let before = place_in(worker, before)?;
            let page = bounded(moderation.cases_page(user, settled, before, limit)).await?;
            Ok(frame::result(framing, id, told(page)?))
        }
        ModerationJob::Case(case) => Ok(frame::result(framing, id, told(bounded(moderation.case(user, case)).await?)?)),
        ModerationJob::Log(before, limit) => {
            Ok(frame::result(framing, id, told(bounded(moderation.log(user, before, limit)).await?)?))
        }
    }
}

fn told<T>(asked: Asked<T>) -> Result<T, Refusal> {
    match asked {
        Asked::Told(answer) => Ok(answer),
        Asked::NotForThem => Err(Refusal::new(ErrorCode::Forbidden, "this is not for you")),
        Asked::NotThere => Err(not_found()),
    }
}

#[cfg(test)]
mod tests {
    use tidings_protocol::ids::{ActionId, ReportId};
    use tidings_protocol::moderation::{ActionKind, Reason};

    use super::*;

    const ONE: Uuid = Uuid::from_u128(1);

    #[test]
    fn a_report_is_about_exactly_one_thing() {
        let about = |user: bool, post: bool, comment: bool| {
            report(ReportCreate {
                id: ReportId(ONE),
                user: user.then_some(UserId(ONE)),
                post: post.then_some(PostId(ONE)),
                comment: comment.then_some(CommentId(ONE)),
                reason: Reason::Spam,
                note: None,
            })
        };
        for (things, field) in [([false; 3], "post"), ([true, true, false], "user"), ([false, true, true], "user")] {
            let refused = about(things[0], things[1], things[2]).unwrap_err();
            assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Invalid, Some(field)));
        }
        let act = about(false, false, true).unwrap();
        assert!(matches!(act, Act::Deed(Deed::Report { kind: ModeratedKind::Comment, thing: ONE, .. })));
    }

    #[test]
    fn an_action_is_in_a_case_or_makes_one() {
        let (action, reason, note, until) = (ActionKind::Warn, Reason::Hate, None, None);
        let of = |case: Option<CaseId>, user: Option<UserId>| {
            let id = ActionId(ONE);
            act(ModAct { id, case, user, post: None, comment: None, action, reason, note: note.clone(), until })
        };
        for (case, user) in [(None, None), (Some(CaseId(ONE)), Some(UserId(ONE)))] {
            assert_eq!(of(case, user).unwrap_err().field.as_deref(), Some("case"));
        }
        assert!(of(Some(CaseId(ONE)), None).is_ok() && of(None, Some(UserId(ONE))).is_ok());
    }
}
