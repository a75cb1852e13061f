//! What can follow `tidings admin`: an order, and where the server's settings are.
//! Must never take a password as an argument: command lines are public on a machine.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use tidings_protocol::entity::Role;
use tidings_protocol::text::Handle;
use tidings_store::Standing;

/// An order, and the settings it is carried out under.
#[derive(Debug)]
pub(super) struct Wish {
    /// A command line as the server would get it, program name first.
    pub(super) settings: Vec<OsString>,
    pub(super) deed: Deed,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Deed {
    SetRole { handle: Handle, role: RoleName },
    ResetPassword { handle: Handle, stdin: bool },
    Sessions { handle: Handle },
    Logout { handle: Handle },
    DeleteAccount { handle: Handle, yes: bool },
    SetStanding { handle: Handle, standing: Standing },
    VerifyLog { was: Option<(u64, Vec<u8>)> },
}

const ABOUT: &str = "What an operator does to accounts on the server's machine, while the server runs.";
const AFTER: &str = "It reads the same settings as the server: the same file, and the same variables of the environment.\n\
    Without `DATABASE_URL` it uses the private Postgres in the data folder, which the server keeps running.";

#[derive(Parser)]
#[command(name = "tidings admin", version, about = ABOUT, after_help = AFTER, arg_required_else_help = true)]
struct Line {
    /// TOML file with the server's settings [variable: TIDINGS_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The server's data folder [variable: TIDINGS_DATA_DIR]
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    word: Word,
}

#[derive(Subcommand)]
enum Word {
    /// Makes somebody an admin: the first one, for instance
    MakeAdmin { handle: String },
    /// Gives somebody a role
    SetRole { handle: String, role: RoleName },
    /// Gives somebody a new password and ends all their log-ins; prints it, this once
    ResetPassword {
        handle: String,
        /// Read the new password from the standard input, one line, instead of making one
        #[arg(long)]
        stdin: bool,
    },
    /// Lists somebody's log-ins
    Sessions { handle: String },
    /// Ends all log-ins of somebody, on all nodes
    Logout { handle: String },
    /// Ends somebody's account for good, as they could themselves: there is no way back
    DeleteAccount {
        handle: String,
        /// Do not ask whether it is meant
        #[arg(long)]
        yes: bool,
    },
    /// Lets somebody read and take back what they did, and nothing else, until they are reinstated
    Suspend { handle: String },
    /// Ends all log-ins of somebody and lets them log in no more, until they are reinstated
    Ban { handle: String },
    /// Ends a suspension or a ban
    Reinstate { handle: String },
    /// Checks that nothing was changed in the log of moderation, nor taken out of it
    VerifyLog {
        /// A line that an earlier check has shown: it must still be there as it was
        #[arg(long, value_name = "NUMBER:HASH")]
        was: Option<String>,
    },
}

/// A role as one types it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RoleName {
    User,
    Moderator,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::User => Self::User,
            RoleName::Moderator => Self::Moderator,
            RoleName::Admin => Self::Admin,
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
        })
    }
}

impl Wish {
    pub(super) fn read(args: Vec<OsString>) -> Result<Self, clap::Error> {
        let line = Line::try_parse_from(std::iter::once("tidings admin".into()).chain(args))?;
        let deed = match line.word {
            Word::MakeAdmin { handle } => Deed::SetRole { handle: known(&handle)?, role: RoleName::Admin },
            Word::SetRole { handle, role } => Deed::SetRole { handle: known(&handle)?, role },
            Word::ResetPassword { handle, stdin } => Deed::ResetPassword { handle: known(&handle)?, stdin },
            Word::Sessions { handle } => Deed::Sessions { handle: known(&handle)? },
            Word::Logout { handle } => Deed::Logout { handle: known(&handle)? },
            Word::DeleteAccount { handle, yes } => Deed::DeleteAccount { handle: known(&handle)?, yes },
            Word::Suspend { handle } => Deed::SetStanding { handle: known(&handle)?, standing: Standing::Suspended },
            Word::Ban { handle } => Deed::SetStanding { handle: known(&handle)?, standing: Standing::Banned },
            Word::VerifyLog { was } => Deed::VerifyLog { was: was.as_deref().map(known_before).transpose()? },
            Word::Reinstate { handle } => Deed::SetStanding { handle: known(&handle)?, standing: Standing::Good },
        };
        let flags = [("--config", line.config), ("--data-dir", line.data_dir)];
        let given = flags.into_iter().filter_map(|(flag, path)| Some([flag.into(), path?.into_os_string()]));
        Ok(Self { settings: std::iter::once("tidings".into()).chain(given.flatten()).collect(), deed })
    }
}

/// A line of the log as it was shown.
fn known_before(typed: &str) -> Result<(u64, Vec<u8>), clap::Error> {
    let wrong = |bad| clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("--was: {bad}\n"));
    tidings_store::known_line(typed).map_err(wrong)
}

/// A handle, also as it is written in a text (`@ann`).
fn known(typed: &str) -> Result<Handle, clap::Error> {
    let handle = Handle::parse(typed.strip_prefix('@').unwrap_or(typed));
    let wrong = |bad| clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("the handle {bad}\n"));
    handle.map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Wish, clap::Error> {
        Wish::read(line.split(' ').map(OsString::from).collect())
    }

    #[test]
    fn orders_are_understood() {
        let wish = read("make-admin @Ann --data-dir /x").unwrap();
        assert!(matches!(&wish.deed, Deed::SetRole { handle, role: RoleName::Admin } if handle.as_str() == "ann"));
        assert_eq!(wish.settings, ["tidings", "--data-dir", "/x"]);
        let wish = read("--config /y set-role ann moderator").unwrap();
        assert!(matches!(wish.deed, Deed::SetRole { role: RoleName::Moderator, .. }));
        assert_eq!(wish.settings, ["tidings", "--config", "/y"]);
        assert!(matches!(read("reset-password ann").unwrap().deed, Deed::ResetPassword { stdin: false, .. }));
        assert!(matches!(read("reset-password ann --stdin").unwrap().deed, Deed::ResetPassword { stdin: true, .. }));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "",
            "make-admin",
            "set-role ann king",
            "logout a",
            "logout 'ann'",
            "reset-password ann secret",
            "ban ann now",
            "delete-account",
            "delete-account --yes",
            "verify-log ann",
            "verify-log --was 17",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
