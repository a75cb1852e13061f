//! What somebody chooses once, on one device, and means on all of them. Of whom they want to hear is in [`crate::notification`].
//! Must never be told to anybody else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::entity::Visibility;
use crate::position::Seq;
use crate::threads::Commenters;

/// How a client looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the device does.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Whether one is ever shown to be here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum PresenceChoice {
    /// As each connection wishes.
    #[default]
    Shown,
    /// Never, whatever a connection wishes; and one is not told of others either.
    Hidden,
}

/// What somebody chooses: what is absent stays as it is, and is at first the first of its kind (`system`, `public`, `everyone`, `shown`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct SettingsUpdate {
    /// How clients look.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub theme: Option<Theme>,
    /// Who may see a new post where one does not say otherwise. For clients: a `post.create` without `visibility` is public, whatever this says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub visibility: Option<Visibility>,
    /// Who may comment on one's posts where these do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub comments: Option<Commenters>,
    /// Whether one is ever shown to be here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub presence: Option<PresenceChoice>,
}

/// One's settings as of their last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Settings {
    /// Last change.
    pub rev: Seq,
    /// What one chose.
    #[serde(flatten)]
    #[ts(flatten)]
    pub chosen: SettingsUpdate,
}

impl Settings {
    /// Whether their owner is never shown to be here.
    #[must_use]
    pub fn hides(&self) -> bool {
        self.chosen.presence == Some(PresenceChoice::Hidden)
    }
}

/// Result of `settings.update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(concrete(S = Settings))]
pub struct SettingsResult<S = Settings> {
    /// As they are now.
    pub settings: S,
    /// The change.
    pub seq: Seq,
    /// It was so already; nothing was done now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub duplicate: bool,
}
