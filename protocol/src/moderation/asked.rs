//! Parameters of requests about reports, cases, appeals and what moderators do.
//! Must never hold who may: that is the session's and the store's.

use super::{ActionKind, Reason};
use crate::decode;
use crate::entity::Role;
use crate::ids::{ActionId, CaseId, CommentId, PostId, ReportId, UserId};
use crate::position::{Cursor, Millis};
use crate::text::Note;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `report.create`: exactly one of `user`, `post` and `comment`. Whoever may see it may report it, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ReportCreate {
    /// Chosen by the client; the same id with the same content is answered again.
    pub id: ReportId,
    /// Somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub user: Option<UserId>,
    /// A post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub post: Option<PostId>,
    /// A comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comment: Option<CommentId>,
    /// What is wrong with it.
    pub reason: Reason,
    /// For moderators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<Note>,
}

/// `report.page`, `account.actions`: one's own, newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct OwnPage {
    /// `next` of the page before; the newest if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `mod.page`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct CasePage {
    /// Settled cases instead of open and claimed ones.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub settled: bool,
    /// `next` of the page or snapshot before; the newest if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `mod.get`, `mod.settle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CaseRef {
    /// Which.
    pub id: CaseId,
}

/// `mod.claim`: tells the other moderators that one sees to it. It keeps nobody from acting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CaseClaim {
    /// Which.
    pub id: CaseId,
    /// Gives it back instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub release: bool,
}

/// `mod.act`: in a `case`, or about exactly one of `user`, `post` and `comment`, which makes a case of it. Settles the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ModAct {
    /// The action's; chosen by the client. The same id with the same content is answered again.
    pub id: ActionId,
    /// In which case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub case: Option<CaseId>,
    /// Somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub user: Option<UserId>,
    /// A post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub post: Option<PostId>,
    /// A comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comment: Option<CommentId>,
    /// What to do. Warnings, suspensions, bans and their ends are of whom the case is about, or whose post or comment it is.
    pub action: ActionKind,
    /// Why: told to the person.
    pub reason: Reason,
    /// For the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<Note>,
    /// Of a suspension, when it ends by itself; if absent, when somebody ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Millis>,
}

/// `mod.role`: for admins. Neither oneself nor another admin: that is for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ModRole {
    /// Whose.
    pub id: UserId,
    /// From now on.
    pub role: Role,
}

/// `mod.log`: for admins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct LogPage {
    /// Lines before the one with this number; the newest if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub before: Option<u64>,
    /// 1–100; 50 if absent.
    #[serde(deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `appeal.create`: once against each action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AppealCreate {
    /// Against which.
    pub action: ActionId,
    /// What one has to say.
    pub text: Note,
}

/// `appeal.settle`: by another moderator than the one who acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AppealSettle {
    /// Against which action.
    pub action: ActionId,
    /// Takes the action back, as far as that can be done: what was deleted stays so.
    pub accept: bool,
    /// For the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<Note>,
}
