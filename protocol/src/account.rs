//! One's own account as nobody else sees it: its address, a copy of all one's things, its end.
//! Must never show an address or a password when printed (P9).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::entity::Role;
use crate::position::{Millis, Seq};

/// What an account may do at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountStanding {
    /// Whatever anybody may.
    #[default]
    Good,
    /// Read, and take back what one did.
    Suspended,
    /// Nothing.
    Banned,
}

/// Result of `account.get`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AccountGot {
    /// The address, as it is kept.
    pub email: String,
    /// When one signed up.
    pub created_at: Millis,
    /// Log-ins that are good.
    pub sessions: u32,
    /// Role.
    pub role: Role,
    /// What one may do at all.
    pub standing: AccountStanding,
}

/// Never shows the address (P9).
impl std::fmt::Debug for AccountGot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountGot")
    }
}

/// Result of `account.export`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AccountExported {
    /// Where to get the file, on any node; the address itself is the permission.
    pub url: String,
    /// Until when one may begin to.
    pub expires_at: Millis,
}

/// Never shows the address, which is a permission (P9).
impl std::fmt::Debug for AccountExported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountExported").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// `account.delete`: for good, and at once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AccountDelete {
    /// One's password.
    pub password: String,
}

/// Never shows a password (P9).
impl std::fmt::Debug for AccountDelete {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountDelete")
    }
}

/// Result of `account.delete`; the connection ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AccountDeleted {
    /// The change.
    pub seq: Seq,
}
