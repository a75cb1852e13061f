//! What each method costs and what it comes down to: the one table of all methods.
//! Must never carry anything out, nor decide what only the store knows.

use tidings_protocol::delivery::DeliveryMode;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::limits::{self, points};
use tidings_protocol::listing::Listing;
use tidings_protocol::request::{FeedMode, FeedPage, FeedSubscribe, Method};
use tidings_protocol::text::Handle;

use super::bots::BotsJob;
use super::circle::{self, CircleJob};
use super::company::CompanyJob;
use super::machine::Job;
use super::marks::{self, MarksJob};
use super::media::MediaJob;
use super::moderation::{self, ModerationJob};
use super::search::SearchJob;
use super::{drafts, notes, posts};
use crate::account::AccountJob;
use crate::command::{Act, Command, Deed, ProfileChange};
use crate::ports::{Branch, Who};

/// What a request costs.
#[expect(clippy::too_many_lines, reason = "it is the table")]
pub(super) const fn cost(method: &Method) -> u32 {
    match method {
        Method::Hello(_) | Method::AuthRefresh(_) | Method::FeedUnsubscribe(_) => 0,
        Method::SessionList(_)
        | Method::AccountGet(_)
        | Method::BotAll(_)
        | Method::TokenAll(_)
        | Method::UserGet(_)
        | Method::MediaGet(_)
        | Method::PostGet(_)
        | Method::PostHistory(_)
        | Method::BookmarkPage(_)
        | Method::DraftPage(_)
        | Method::RequestPage(_)
        | Method::ListAll(_)
        | Method::ListMembers(_)
        | Method::FilterAll(_)
        | Method::NotificationPage(_)
        | Method::NotificationSeen(_)
        | Method::CommentPage(_)
        | Method::FeedPage(_)
        | Method::PresenceSet(_)
        | Method::TypingSend(_)
        | Method::MentionSuggest(_)
        | Method::ReportPage(_)
        | Method::AccountActions(_)
        | Method::ModPage(_)
        | Method::ModGet(_)
        | Method::ModLog(_)
        | Method::FeedMode(_)
        | Method::FeedSubscribe(_) => points::READ,
        Method::PresenceWatch(_)
        | Method::UserFollow(_)
        | Method::UserUnfollow(_)
        | Method::UserRemoveFollower(_)
        | Method::RequestAccept(_)
        | Method::RequestReject(_)
        | Method::ListAdd(_)
        | Method::ListRemove(_)
        | Method::UserBlock(_)
        | Method::UserUnblock(_)
        | Method::UserMute(_)
        | Method::UserUnmute(_)
        | Method::NotificationRead(_)
        | Method::MarkerSet(_)
        | Method::PostReact(_)
        | Method::PostUnreact(_)
        | Method::PostBookmark(_)
        | Method::PostUnbookmark(_)
        | Method::PostPin(_)
        | Method::PostUnpin(_)
        | Method::PostLock(_)
        | Method::PostUnlock(_)
        | Method::PostSlow(_)
        | Method::PostComments(_)
        | Method::CommentHide(_)
        | Method::CommentUnhide(_)
        // Looks at as many posts as a page, and at more of each.
        | Method::PostStats(_) => points::REACT,
        Method::AccountPassword(_)
        | Method::AccountEmail(_)
        | Method::AccountExport(_)
        | Method::AccountDelete(_)
        | Method::SessionRevoke(_)
        | Method::SessionRevokeOthers(_)
        | Method::BotDelete(_)
        | Method::TokenRevoke(_)
        | Method::UserUpdate(_)
        | Method::ListCreate(_)
        | Method::ListUpdate(_)
        | Method::ListDelete(_)
        | Method::FilterPut(_)
        | Method::FilterDelete(_)
        | Method::NotifyPreferences(_)
        | Method::SettingsUpdate(_)
        | Method::DraftPut(_)
        | Method::DraftDelete(_)
        | Method::PostUpdate(_)
        | Method::PostDelete(_)
        | Method::MediaDelete(_)
        | Method::ModClaim(_)
        | Method::ModSettle(_)
        | Method::ModAct(_)
        | Method::ModRole(_)
        | Method::AppealSettle(_)
        | Method::CommentUpdate(_)
        | Method::CommentDelete(_) => points::EDIT,
        Method::BotCreate(_)
        | Method::TokenCreate(_)
        | Method::PostCreate(_)
        | Method::CommentCreate(_)
        | Method::MediaTicket(_)
        | Method::ReportCreate(_)
        | Method::AppealCreate(_) => {
            points::CREATE
        }
        Method::SearchPeople(_) | Method::SearchPosts(_) | Method::SearchTags(_) => points::SEARCH,
    }
}

/// What a method comes down to for this viewer.
#[expect(clippy::too_many_lines, reason = "a table: a line or two for each method")]
pub(super) fn job(viewer: Option<UserId>, method: Method) -> Result<Job, Refusal> {
    let act = match method {
        Method::Hello(_) => {
            return Err(Refusal::new(ErrorCode::BadRequest, "hello was said already"));
        }
        Method::AuthRefresh(refresh) => return Ok(Job::Token(refresh.token)),
        Method::UserGet(get) => return whom(viewer, get.id, get.handle).map(Job::User),
        Method::PostGet(get) => return Ok(Job::Post(get.id)),
        Method::PostHistory(post) => return Ok(Job::Marks(MarksJob::History(post.id))),
        Method::PostStats(get) => return marks::stats(get.ids).map(Job::Marks),
        Method::BookmarkPage(page) => return marks::page(viewer, page).map(Job::Marks),
        Method::DraftPage(page) => return drafts::page(viewer, page).map(Job::Drafts),
        Method::FeedPage(FeedPage { feed: Listing::Top(span), before, limit }) => {
            return Ok(Job::Search(SearchJob::Top(span, before, entities(limit)?)));
        }
        Method::FeedPage(FeedPage { feed: Listing::Feed(feed), before, limit }) => {
            allowed(viewer, feed)?;
            return Ok(Job::Posts(feed, before, entities(limit)?));
        }
        Method::CommentPage(page) => {
            let branch = Branch { post: page.post, parent: page.parent };
            return Ok(Job::Comments(branch, page.before, entities(page.limit)?));
        }
        Method::FeedSubscribe(FeedSubscribe { feed, limit, mode, filter }) => {
            allowed(viewer, feed)?;
            if filter.is_some() && feed != FeedName::Firehose {
                return Err(Refusal::new(ErrorCode::Invalid, "only `firehose` is filtered").field("filter"));
            }
            let filter = filter.map(|filter| Box::new(filter.into()));
            return Ok(Job::Subscribe(feed, entities(limit)?, fitting(mode, feed)?, filter));
        }
        Method::FeedMode(FeedMode { feed, mode, limit }) => {
            allowed(viewer, feed)?;
            return Ok(Job::Mode(feed, entities(limit)?, fitting(mode, feed)?));
        }
        Method::FeedUnsubscribe(unsubscribe) => return Ok(Job::Unsubscribe(unsubscribe.feed)),
        Method::SearchPeople(search) => return SearchJob::people(search).map(Job::Search),
        Method::SearchPosts(search) => return SearchJob::posts(search).map(Job::Search),
        Method::SearchTags(search) => return Ok(Job::Search(SearchJob::tags(search))),
        Method::MentionSuggest(suggest) => return SearchJob::mentions(viewer, suggest).map(Job::Search),
        Method::NotificationPage(page) => return notes::page(viewer, page).map(Job::Notes),
        Method::PresenceWatch(watch) => return company(viewer, CompanyJob::watch(watch)?),
        Method::PresenceSet(set) => return company(viewer, CompanyJob::show(set)),
        Method::TypingSend(typing) => return company(viewer, CompanyJob::typing(typing)),
        Method::ReportPage(page) => return looked_into(moderation::reports(viewer, page)),
        Method::AccountActions(page) => return looked_into(moderation::actions(viewer, page)),
        Method::ModPage(page) => return looked_into(moderation::cases(viewer, page)),
        Method::ModGet(case) => return looked_into(moderation::case(viewer, case.id)),
        Method::ModLog(page) => return looked_into(moderation::log(viewer, page)),
        Method::MediaGet(media) => return Ok(Job::Media(MediaJob::Get(media.id))),
        Method::MediaTicket(wish) => {
            let owner = viewer.ok_or_else(log_in_first)?;
            return Ok(Job::Media(MediaJob::Ticket(owner, wish)));
        }
        Method::MediaDelete(media) => {
            let owner = viewer.ok_or_else(log_in_first)?;
            return Ok(Job::Media(MediaJob::Delete(owner, media.id)));
        }
        Method::AccountPassword(change) => return own(viewer, AccountJob::password(change)),
        Method::AccountEmail(change) => return own(viewer, AccountJob::email(change)),
        Method::AccountGet(_) => return own(viewer, AccountJob::Get),
        Method::AccountExport(_) => return own(viewer, AccountJob::Export),
        Method::AccountDelete(wish) => return own(viewer, AccountJob::delete(wish)),
        Method::SessionList(_) => return own(viewer, AccountJob::LogIns),
        Method::SessionRevokeOthers(_) => return own(viewer, AccountJob::EndOthers),
        Method::BotAll(_) => return bots(viewer, BotsJob::All),
        Method::TokenCreate(wish) => return bots(viewer, BotsJob::make(wish)?),
        Method::TokenAll(of) => return bots(viewer, BotsJob::Tokens(of.bot)),
        Method::TokenRevoke(token) => return bots(viewer, BotsJob::Revoke(token.id)),
        Method::SessionRevoke(log_in) => Act::SessionRevoke { session: Some(log_in.id) },
        Method::UserUpdate(update) => Act::UserUpdate {
            name: update.name,
            bio: update.bio,
            change: ProfileChange { asks: update.asks, avatar: update.avatar },
            if_rev: update.if_rev,
        },
        Method::UserFollow(user) => Act::Follow { whom: user.id },
        Method::UserUnfollow(user) => Act::Unfollow { whom: user.id },
        Method::BotCreate(bot) => {
            Act::Deed(Deed::MakeBot { bot: bot.id, handle: bot.handle, name: bot.name, most: limits::BOTS_PER_USER })
        }
        Method::BotDelete(bot) => Act::Deed(Deed::StopBot { bot: bot.id }),
        Method::UserRemoveFollower(user) => Act::Deed(Deed::RemoveFollower { whom: user.id }),
        Method::RequestPage(page) => return circle(viewer, circle::requests(page)?),
        Method::RequestAccept(user) => Act::Deed(Deed::Accept { whom: user.id }),
        Method::RequestReject(user) => Act::Deed(Deed::Reject { whom: user.id }),
        Method::ListCreate(list) => circle::make_list(list),
        Method::ListUpdate(list) => Act::Deed(Deed::RenameList { list: list.id, name: list.name, if_rev: list.if_rev }),
        Method::ListDelete(list) => Act::Deed(Deed::DropList { list: list.id }),
        Method::ListAdd(person) => circle::enlist(person, true),
        Method::ListRemove(person) => circle::enlist(person, false),
        Method::ListAll(_) => return circle(viewer, CircleJob::Lists),
        Method::ListMembers(list) => return circle(viewer, CircleJob::Members(list.id)),
        Method::FilterPut(put) => circle::put_filter(put),
        Method::FilterDelete(filter) => Act::Deed(Deed::DropFilter { filter: filter.id }),
        Method::FilterAll(_) => return circle(viewer, CircleJob::Filters),
        Method::UserBlock(user) => Act::Deed(Deed::Block { whom: user.id }),
        Method::UserUnblock(user) => Act::Deed(Deed::Unblock { whom: user.id }),
        Method::UserMute(mute) => Act::Deed(Deed::Mute { whom: mute.id, until: mute.until }),
        Method::UserUnmute(user) => Act::Deed(Deed::Unmute { whom: user.id }),
        Method::PostCreate(post) => posts::create(post)?,
        Method::PostUpdate(post) => posts::update(post),
        Method::PostDelete(post) => Act::PostDelete { id: post.id },
        Method::NotificationSeen(seen) => Act::Deed(Deed::SeeNotifications { up_to: seen.up_to }),
        Method::NotificationRead(read) => notes::read(read)?,
        Method::MarkerSet(marker) => notes::marker(marker),
        Method::NotifyPreferences(change) => notes::prefer(change)?,
        Method::SettingsUpdate(change) => drafts::choose(change)?,
        Method::DraftPut(put) => drafts::put(put)?,
        Method::DraftDelete(draft) => Act::Deed(Deed::DeleteDraft { id: draft.id }),
        Method::PostReact(react) => Act::Deed(Deed::React { post: react.id, emoji: react.emoji }),
        Method::PostUnreact(post) => Act::Deed(Deed::Unreact { post: post.id }),
        Method::PostBookmark(post) => Act::Deed(Deed::Bookmark { post: post.id }),
        Method::PostUnbookmark(post) => Act::Deed(Deed::Unbookmark { post: post.id }),
        Method::PostPin(post) => Act::Deed(Deed::Pin { post: post.id }),
        Method::PostUnpin(post) => Act::Deed(Deed::Unpin { post: post.id }),
        Method::PostLock(post) => Act::Deed(Deed::Lock { post: post.id }),
        Method::PostUnlock(post) => Act::Deed(Deed::Unlock { post: post.id }),
        Method::PostSlow(slow) => {
            slow.check()?;
            Act::Deed(Deed::Slow { post: slow.id, seconds: slow.seconds })
        }
        Method::PostComments(who) => Act::Deed(Deed::Comments { post: who.id, comments: who.comments }),
        Method::CommentHide(comment) => Act::Deed(Deed::Hide { comment: comment.id }),
        Method::CommentUnhide(comment) => Act::Deed(Deed::Unhide { comment: comment.id }),
        Method::CommentCreate(comment) => {
            Act::CommentCreate { id: comment.id, post: comment.post, parent: comment.parent, text: comment.text }
        }
        Method::CommentUpdate(comment) => {
            Act::CommentUpdate { id: comment.id, text: comment.text, if_rev: comment.if_rev }
        }
        Method::ReportCreate(report) => moderation::report(report)?,
        Method::ModClaim(claim) => Act::Deed(Deed::ClaimCase { case: claim.id, release: claim.release }),
        Method::ModSettle(case) => Act::Deed(Deed::SettleCase { case: case.id }),
        Method::ModAct(act) => moderation::act(act)?,
        Method::ModRole(role) => Act::Deed(Deed::SetRole { whom: role.id, role: role.role }),
        Method::AppealCreate(appeal) => Act::Deed(Deed::Appeal { action: appeal.action, text: appeal.text }),
        Method::AppealSettle(appeal) => {
            Act::Deed(Deed::SettleAppeal { action: appeal.action, accept: appeal.accept, note: appeal.note })
        }
        Method::CommentDelete(comment) => Act::CommentDelete { id: comment.id },
    };
    let actor = viewer.ok_or_else(log_in_first)?;
    Ok(Job::Write(Command { actor, act }))
}

/// Something of one's own account needs one.
fn own(viewer: Option<UserId>, job: AccountJob) -> Result<Job, Refusal> {
    viewer.map(|_| Job::Account(job)).ok_or_else(log_in_first)
}

/// Tokens and bots belong to somebody.
fn bots(viewer: Option<UserId>, job: BotsJob) -> Result<Job, Refusal> {
    viewer.map(|_| Job::Bots(job)).ok_or_else(log_in_first)
}

/// Something about reports and cases.
fn looked_into(job: Result<(UserId, ModerationJob), Refusal>) -> Result<Job, Refusal> {
    job.map(|(user, job)| Job::Moderation(user, job))
}

/// What one has chosen is for oneself.
fn circle(viewer: Option<UserId>, job: CircleJob) -> Result<Job, Refusal> {
    viewer.map(|_| Job::Circle(job)).ok_or_else(log_in_first)
}

/// Only those who are logged in are seen.
fn company(viewer: Option<UserId>, job: CompanyJob) -> Result<Job, Refusal> {
    viewer.map(|_| Job::Company(job)).ok_or_else(log_in_first)
}

fn whom(viewer: Option<UserId>, id: Option<UserId>, handle: Option<Handle>) -> Result<Who, Refusal> {
    match (id, handle) {
        (Some(id), None) => Ok(Who::Id(id)),
        (None, Some(handle)) => Ok(Who::Handle(handle)),
        (None, None) => viewer.map(Who::Id).ok_or_else(log_in_first),
        (Some(_), Some(_)) => Err(Refusal::new(ErrorCode::Invalid, "either id or handle, not both").field("handle")),
    }
}

/// Whether the viewer may watch or page a feed at all.
pub(super) fn allowed(viewer: Option<UserId>, feed: FeedName) -> Result<(), Refusal> {
    if viewer.is_some() || feed.is_public() { Ok(()) } else { Err(log_in_first()) }
}

pub(super) fn log_in_first() -> Refusal {
    Refusal::new(ErrorCode::Unauthorized, "log in first")
}

/// A mode, where a feed can be told so.
fn fitting(mode: DeliveryMode, feed: FeedName) -> Result<DeliveryMode, Refusal> {
    if mode.fits(feed) {
        Ok(mode)
    } else {
        Err(Refusal::new(ErrorCode::Invalid, "this feed is told in full, or not at all").field("mode"))
    }
}

/// How many entities a page holds.
pub(super) fn entities(limit: Option<u16>) -> Result<u16, Refusal> {
    match limit {
        None => Ok(limits::PAGE_DEFAULT),
        Some(limit @ 1..=limits::PAGE_MAX) => Ok(limit),
        Some(_) => {
            let message = format!("must be 1 to {}", limits::PAGE_MAX);
            Err(Refusal::new(ErrorCode::Invalid, message).field("limit"))
        }
    }
}
