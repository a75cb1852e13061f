//! Results of requests about reports, cases, appeals and what moderators do.
//! Must never name a reporter to anybody but moderators.

use super::{AccountStanding, Action, Case, CaseReport, Copied, LogLine, Report};
use crate::position::{Cursor, Millis, Seq};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Result of `report.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(R = Report))]
pub struct ReportResult<R = Report> {
    /// As it is now.
    pub report: R,
    /// The change.
    pub seq: Seq,
    /// One has reported it before; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `report.page`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ReportsPage {
    /// Last changed first.
    pub reports: Vec<Report>,
    /// For the next `before`; null at the end.
    pub next: Option<Cursor>,
}

/// Result of `account.actions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ActionsPage {
    /// What one may do.
    pub standing: AccountStanding,
    /// When that ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub until: Option<Millis>,
    /// Last changed first.
    pub actions: Vec<Action>,
    /// For the next `before`; null at the end.
    pub next: Option<Cursor>,
}

/// Result of `appeal.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(A = Action))]
pub struct ActionResult<A = Action> {
    /// As it is now.
    pub action: A,
    /// The change.
    pub seq: Seq,
    /// It had been done before; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `mod.claim`, `mod.settle`, `mod.act`, `appeal.settle`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(C = Case))]
pub struct CaseResult<C = Case> {
    /// As it is now.
    pub case: C,
    /// The change.
    pub seq: Seq,
    /// It had been done before; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}

/// Result of `mod.page`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CasesPage {
    /// Newest first.
    pub cases: Vec<Case>,
    /// For the next `before`; null at the end.
    pub next: Option<Cursor>,
}

/// Result of `mod.get`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CaseGot {
    /// The case.
    pub case: Case,
    /// What it is about, as it is now; absent if it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub now: Option<Copied>,
    /// The newest first, at most 100. Empty for whom the case is about.
    pub reports: Vec<CaseReport>,
}

/// Result of `mod.log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct LogLines {
    /// Newest first.
    pub lines: Vec<LogLine>,
    /// For the next `before`; null at the end.
    #[ts(type = "number | null")]
    pub next: Option<u64>,
}
