//! What a token has to be good for, method by method: the one place where scopes are enforced.
//! Must never let a scoped token do what nobody has thought of: a method that does not stand here needs a log-in.

use tidings_protocol::bots::{Scope, Scopes};
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::feed::FeedName;
use tidings_protocol::request::Method;

/// What a method asks of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: anybody may, with any token.
    Nothing,
    /// This scope.
    Scope(Scope),
    /// A log-in: no token is good for it.
    LogIn,
}

const FREE: Need = Need::Nothing;
const READ: Need = Need::Scope(Scope::Read);
const WRITE: Need = Need::Scope(Scope::Write);
const MOD: Need = Need::Scope(Scope::Mod);
const LOG_IN: Need = Need::LogIn;

/// Every method, in the order of PROTOCOL.md's table of methods.
pub const NEEDS: &[(&str, Need)] = &[
    ("hello", FREE),
    ("auth.refresh", LOG_IN),
    ("account.password", LOG_IN),
    ("account.email", LOG_IN),
    ("session.list", LOG_IN),
    ("session.revoke", LOG_IN),
    ("session.revoke_others", LOG_IN),
    ("bot.create", LOG_IN),
    ("bot.all", LOG_IN),
    ("bot.delete", LOG_IN),
    ("token.create", LOG_IN),
    ("token.all", LOG_IN),
    ("token.revoke", LOG_IN),
    ("user.get", READ),
    ("user.update", WRITE),
    ("user.follow", WRITE),
    ("user.unfollow", WRITE),
    ("user.remove_follower", WRITE),
    ("user.block", WRITE),
    ("user.unblock", WRITE),
    ("user.mute", WRITE),
    ("user.unmute", WRITE),
    ("request.page", READ),
    ("request.accept", WRITE),
    ("request.reject", WRITE),
    ("list.create", WRITE),
    ("list.update", WRITE),
    ("list.delete", WRITE),
    ("list.add", WRITE),
    ("list.remove", WRITE),
    ("list.all", READ),
    ("list.members", READ),
    ("filter.put", WRITE),
    ("filter.delete", WRITE),
    ("filter.all", READ),
    ("post.create", WRITE),
    ("post.get", READ),
    ("post.update", WRITE),
    ("post.delete", WRITE),
    ("post.history", READ),
    ("post.stats", READ),
    ("post.react", WRITE),
    ("post.unreact", WRITE),
    ("post.bookmark", WRITE),
    ("post.unbookmark", WRITE),
    ("post.pin", WRITE),
    ("post.unpin", WRITE),
    ("bookmark.page", READ),
    ("comment.create", WRITE),
    ("comment.update", WRITE),
    ("post.lock", WRITE),
    ("post.unlock", WRITE),
    ("post.slow", WRITE),
    ("post.comments", WRITE),
    ("comment.delete", WRITE),
    ("comment.hide", WRITE),
    ("comment.unhide", WRITE),
    ("comment.page", READ),
    ("feed.page", READ),
    ("search.people", READ),
    ("search.posts", READ),
    ("search.tags", READ),
    ("mention.suggest", READ),
    // Besides what the feed itself asks for.
    ("feed.subscribe", FREE),
    ("feed.mode", FREE),
    ("feed.unsubscribe", FREE),
    ("presence.watch", READ),
    ("presence.set", WRITE),
    ("typing.send", WRITE),
    ("notification.page", READ),
    ("notification.seen", WRITE),
    ("notification.read", WRITE),
    ("marker.set", WRITE),
    ("notify.preferences", WRITE),
    ("media.ticket", WRITE),
    ("media.get", READ),
    ("media.delete", WRITE),
    ("settings.update", WRITE),
    ("draft.put", WRITE),
    ("draft.delete", WRITE),
    ("draft.page", READ),
    ("report.create", WRITE),
    ("report.page", READ),
    ("account.get", LOG_IN),
    ("account.export", LOG_IN),
    ("account.delete", LOG_IN),
    ("account.actions", LOG_IN),
    ("appeal.create", LOG_IN),
    ("appeal.settle", MOD),
    ("mod.page", MOD),
    ("mod.get", MOD),
    ("mod.claim", MOD),
    ("mod.settle", MOD),
    ("mod.act", MOD),
    // Whom else to trust is for the person themselves.
    ("mod.role", LOG_IN),
    ("mod.log", MOD),
];

/// What a method asks of a token.
fn need(name: &str) -> Need {
    NEEDS.iter().find(|(method, _)| *method == name).map_or(Need::LogIn, |(_, need)| *need)
}

/// Whether a session may ask this at all. `scopes` are those of the token it came with; none for a log-in or an anonymous connection.
///
/// # Errors
/// `forbidden`.
pub(super) fn permitted(scopes: Option<Scopes>, method: &Method) -> Result<(), Refusal> {
    if let Method::FeedSubscribe(subscribe) = method {
        return may_watch(scopes, subscribe.feed);
    }
    let Some(scopes) = scopes else {
        return Ok(());
    };
    match need(method.name()) {
        Need::Nothing => Ok(()),
        Need::Scope(scope) if scopes.hold(scope) => Ok(()),
        Need::Scope(scope) => Err(lacks(scope)),
        Need::LogIn => Err(Refusal::new(ErrorCode::Forbidden, "no token may do this: log in")),
    }
}

/// Whether a session may watch a feed, as far as its token decides that.
///
/// # Errors
/// `forbidden`.
pub(super) fn may_watch(scopes: Option<Scopes>, feed: FeedName) -> Result<(), Refusal> {
    let scope = of_feed(feed);
    match scopes {
        Some(scopes) if scopes.hold(scope) => Ok(()),
        Some(_) => Err(lacks(scope)),
        // Made for programs, and counted by them.
        None if feed == FeedName::Firehose => {
            Err(Refusal::new(ErrorCode::Forbidden, "only a token that is good for `firehose` may watch it"))
        }
        None => Ok(()),
    }
}

fn of_feed(feed: FeedName) -> Scope {
    match feed {
        FeedName::Firehose => Scope::Firehose,
        FeedName::Mod => Scope::Mod,
        FeedName::Home
        | FeedName::Global
        | FeedName::Notifications
        | FeedName::Me
        | FeedName::User(_)
        | FeedName::Post(_)
        | FeedName::List(_)
        | FeedName::Tag(_) => Scope::Read,
    }
}

fn lacks(scope: Scope) -> Refusal {
    let word = match scope {
        Scope::Read => "read",
        Scope::Write => "write",
        Scope::Mod => "mod",
        Scope::Firehose => "firehose",
    };
    Refusal::new(ErrorCode::Forbidden, format!("the token is not good for `{word}`"))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn every_method_says_what_it_asks_of_a_token() {
        let named: BTreeSet<&str> = NEEDS.iter().map(|(method, _)| *method).collect();
        let there: BTreeSet<&str> = Method::NAMES.iter().copied().collect();
        assert_eq!(named.len(), NEEDS.len(), "a method stands here twice");
        assert_eq!(named, there, "a method without a scope needs a log-in: say so");
    }

    #[test]
    fn what_is_not_known_needs_a_log_in() {
        assert_eq!(need("brand.new"), Need::LogIn);
    }

    #[test]
    fn nothing_about_accounts_log_ins_tokens_and_bots_is_for_tokens() {
        let own = ["auth.", "account.", "session.", "token.", "bot."];
        for (method, need) in NEEDS.iter().filter(|(method, _)| own.iter().any(|kind| method.starts_with(kind))) {
            assert_eq!(*need, Need::LogIn, "{method}");
        }
    }

    /// The column `token` of PROTOCOL.md's table of methods.
    #[test]
    fn the_page_says_the_same() {
        let page = include_str!("../../../PROTOCOL.md");
        let table = page.split_once("| method | params | result | points | token | who |").expect("the table").1;
        let rows = table.lines().filter(|line| line.starts_with("| `"));
        let cells = |line: &'static str| line.split('|').map(str::trim).collect::<Vec<_>>();
        let told: BTreeMap<&str, &str> = rows
            .map(cells)
            .filter_map(|row| match row[..] {
                ["", method, _, _, _, token, _, ""] => Some((method.trim_matches('`'), token)),
                _ => None,
            })
            .collect();
        for (method, need) in NEEDS {
            let wanted = match need {
                Need::Nothing if *method == "feed.subscribe" => "as for the feed",
                Need::Nothing => "–",
                Need::Scope(Scope::Read) => "`read`",
                Need::Scope(Scope::Write) => "`write`",
                Need::Scope(Scope::Mod) => "`mod`",
                Need::Scope(Scope::Firehose) => "`firehose`",
                Need::LogIn => "log-in",
            };
            assert_eq!(told.get(method), Some(&wanted), "the row of {method} in PROTOCOL.md");
        }
    }
}
