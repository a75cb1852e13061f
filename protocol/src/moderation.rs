//! Looking after what others write: reports, the cases they make, what moderators do about them, appeals, and the log of all of it.
//! Must never name a reporter but to moderators, nor a moderator to whom they acted on.

mod asked;
mod told;

use crate::entity::Author;
use crate::ids::{ActionId, CaseId, CommentId, PostId, ReportId, UserId};
use crate::position::{Millis, Seq};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

pub use self::asked::{
    AppealCreate, AppealSettle, CaseClaim, CasePage, CaseRef, LogPage, ModAct, ModRole, OwnPage, ReportCreate,
};
pub use self::told::{ActionResult, ActionsPage, CaseGot, CaseResult, CasesPage, LogLines, ReportResult, ReportsPage};

/// What is wrong with something, or with somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Advertising, fraud, the same again and again.
    Spam,
    /// Going for somebody.
    Harassment,
    /// Against people for what they are.
    Hate,
    /// Threats, or praise of violence.
    Violence,
    /// Sexual where it does not belong.
    Sexual,
    /// Somebody may hurt themselves.
    SelfHarm,
    /// Pretending to be somebody else.
    Impersonation,
    /// What is somebody's own, told without their leave.
    Privacy,
    /// Against the law.
    Illegal,
    /// Something else: say what in a note.
    Other,
}

/// What a report, a case or an action is about: a user, a post, or a comment with the post it is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct About {
    /// Somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub user: Option<UserId>,
    /// A post, or the one that the comment is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub post: Option<PostId>,
    /// A comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comment: Option<CommentId>,
}

/// What came of a report or a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum SettledAs {
    /// Something was done about it.
    Acted,
    /// There was nothing to be done.
    Dismissed,
}

/// A report of one's own. Told on one's `me`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Report {
    /// Which.
    pub id: ReportId,
    /// Last change.
    pub rev: Seq,
    /// What was reported.
    #[serde(flatten)]
    #[ts(flatten)]
    pub about: About,
    /// What is wrong with it.
    pub reason: Reason,
    /// What one wrote to the moderators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
    /// When.
    pub at: Millis,
    /// What came of it; absent while nobody has decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub outcome: Option<SettledAs>,
}

/// What was reported, as it was then: an edit or a deletion does not hide it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct Copied {
    /// Of a post or a comment, what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<String>,
    /// Of a post, its content warning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub warning: Option<String>,
    /// Of a user, the display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// Of a user, the profile text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bio: Option<String>,
    /// When it was created.
    pub created_at: Millis,
    /// Whether it is hidden by a moderator.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub hidden: bool,
}

/// How far a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// It waits for somebody.
    Open,
    /// Somebody sees to it.
    Claimed,
    /// It is decided.
    Settled,
}

/// What moderators do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Nobody but its author and moderators sees the post or comment.
    Hide,
    /// It is seen again.
    Unhide,
    /// The post or comment is deleted, for good.
    Delete,
    /// The user is told, and nothing else.
    Warn,
    /// The user may read, and take back what they did, until a time or until they are reinstated.
    Suspend,
    /// The user is logged out everywhere and may not log in.
    Ban,
    /// Suspension or ban is over.
    Reinstate,
}

/// How far an appeal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum AppealState {
    /// It waits for a moderator.
    Open,
    /// The action was taken back, as far as that can be done.
    Accepted,
    /// The action stays.
    Rejected,
}

/// What somebody has to say against an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Appeal {
    /// How far it is.
    pub state: AppealState,
    /// What they say.
    pub text: String,
    /// When.
    pub at: Millis,
    /// What the moderator who decided wrote back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reply: Option<String>,
}

/// What was done to somebody, or to what they wrote. Told on their `me`; it never says by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Action {
    /// Which.
    pub id: ActionId,
    /// Last change.
    pub rev: Seq,
    /// What was done.
    pub action: ActionKind,
    /// To what.
    #[serde(flatten)]
    #[ts(flatten)]
    pub about: About,
    /// Why.
    pub reason: Reason,
    /// What the moderator wrote to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
    /// Of a hidden comment, what it says: in its thread it is a placeholder even for its author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<String>,
    /// Of a suspension, when it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Millis>,
    /// When it was done.
    pub at: Millis,
    /// Whether it is over: taken back, or its time has come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub ended: bool,
    /// What one has said against it. Absent: one may, once, if it hides, deletes, warns, suspends or bans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub appeal: Option<Appeal>,
}

/// What was done in a case, as moderators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CaseAction {
    /// Which.
    pub id: ActionId,
    /// What was done.
    pub action: ActionKind,
    /// By whom; absent: by an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub by: Option<Author>,
    /// Why.
    pub reason: Reason,
    /// What was written to the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
    /// When a suspension ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Millis>,
    /// When.
    pub at: Millis,
    /// Whether it is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub ended: bool,
    /// What they said against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub appeal: Option<Appeal>,
}

/// All reports about one thing, and what was done about it. An entity of the feed `mod`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Case {
    /// Which.
    pub id: CaseId,
    /// Last change.
    pub rev: Seq,
    /// Its place: when it was opened. Sort by it, newest first.
    pub seq: Seq,
    /// What it is about.
    #[serde(flatten)]
    #[ts(flatten)]
    pub about: About,
    /// Who that is, or who wrote it.
    pub author: Author,
    /// What was reported, as it was then. Absent some time after the case was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub copy: Option<Copied>,
    /// How many have reported it.
    pub count: u32,
    /// How many for each reason; what is absent is 0.
    #[ts(as = "BTreeMap<Reason, u32>")]
    pub reasons: BTreeMap<Reason, u32>,
    /// How far it is.
    pub state: CaseState,
    /// Who sees to it, or settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub by: Option<Author>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub outcome: Option<SettledAs>,
    /// When it was opened.
    pub at: Millis,
    /// When it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub settled_at: Option<Millis>,
    /// What was done, the newest first, at most 20. One with an open appeal wants an answer by another moderator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<CaseAction>>")]
    pub actions: Vec<CaseAction>,
}

/// A report as moderators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CaseReport {
    /// By whom.
    pub by: Author,
    /// What is wrong.
    pub reason: Reason,
    /// What they wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
    /// When.
    pub at: Millis,
}

/// What somebody may do at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountStanding {
    /// Whatever anybody may.
    Good,
    /// Read, and take back what they did.
    Suspended,
    /// Nothing.
    Banned,
}

/// A line of the log. Each holds the hash of the one before, so that none can be changed or taken out unnoticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct LogLine {
    /// Its number, from 1, without holes.
    #[ts(type = "number")]
    pub n: u64,
    /// When.
    pub at: Millis,
    /// By whom; absent: by an operator, or by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub actor: Option<UserId>,
    /// What was done, in a word or two.
    pub act: String,
    /// To what kind of thing: `user`, `post`, `comment`, `case`, `action`.
    pub kind: String,
    /// To which.
    #[ts(type = "string")]
    pub subject: uuid::Uuid,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<Reason>,
    /// SHA-256 of the hash before and of this line, in hexadecimal digits.
    pub hash: String,
}
