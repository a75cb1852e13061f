//! `tidings admin …`: what an operator does to accounts, on the server's machine, while the server runs.
//! Must never start a database, migrate its schema or make a secret: it works on what is there, or says what is missing.
//!
//! What it changes are entries of the journal: all nodes hear of it within half a second.

mod command_line;
mod password;

use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::sync::Arc;

use secrecy::ExposeSecret;
use tidings_protocol::entity::LogIn;
use tidings_protocol::position::Millis;
use tidings_protocol::text::Handle;
use tidings_store::{LogCheck, NotDone, Standing, Store, StoreOptions};

use crate::app::database_address;
use crate::auth::{self, AuthFault, HashFault, KeyFault, Purpose, Secret, SecretFault};
use crate::config::{Config, ConfigFault};
use command_line::{Deed, Wish};

/// What is read of the word that confirms a deletion: longer than any handle.
const CONFIRMATION_BYTES: u64 = 256;

/// What the operator asked for.
#[derive(Debug)]
pub struct Order(Wish);

/// Why it was not done. In words for operators; never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum AdminFault {
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigFault),
    /// No private Postgres is running.
    #[error("{0}. Start the server first, or give the same `data_dir`, or the same `DATABASE_URL`, as it has")]
    NotRunning(#[from] tidings_private_postgres::Fault),
    /// The database did not do it.
    #[error(transparent)]
    NotDone(#[from] NotDone),
    /// The secret.
    #[error(
        "{0}. A password is good only under the server's own secret: give the same `data_dir`, or `secret`, as it has"
    )]
    Secret(#[from] SecretFault),
    /// Another secret.
    #[error(transparent)]
    Keys(#[from] KeyFault),
    /// The hashers.
    #[error(transparent)]
    Hashers(#[from] AuthFault),
    /// Somebody has changed the log.
    #[error("the log is broken at line {at}: {what}")]
    Log {
        /// The first line that is wrong.
        at: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// One password.
    #[error(transparent)]
    Hash(#[from] HashFault),
    /// A password that is no good.
    #[error("{0}")]
    Password(String),
    /// The operator had another mind.
    #[error("nothing was done: that is not the handle")]
    NotConfirmed,
    /// Reading the password, or telling what was done.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What follows `admin`, if that is the program's first argument.
#[must_use]
pub fn asked(args: impl IntoIterator<Item = OsString>) -> Option<Vec<OsString>> {
    let mut args = args.into_iter().skip(1);
    (args.next()? == "admin").then(|| args.collect())
}

impl Order {
    /// Reads what follows `admin`.
    ///
    /// # Errors
    /// Help, or what is wrong with it: print it.
    pub fn read(args: Vec<OsString>) -> Result<Self, clap::Error> {
        Wish::read(args).map(Self)
    }

    /// Does it, and tells `out` what was done. A password may be read from `input`.
    ///
    /// # Errors
    /// The first thing that is in the way; nothing was done then.
    pub async fn carry_out(self, input: &mut impl BufRead, out: &mut impl Write) -> Result<(), AdminFault> {
        let Wish { settings, deed } = self.0;
        let config = Config::load_with(settings)?;
        let url = database_address(&config)?;
        let options = StoreOptions { name: "tidings admin".to_owned(), ..StoreOptions::default() };
        let store = Store::connect(&url, &options).map_err(NotDone::from)?;
        let done = carry_out(&config, &store, deed, input, out).await;
        store.close().await;
        done
    }
}

async fn carry_out(
    config: &Config,
    store: &Store,
    deed: Deed,
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> Result<(), AdminFault> {
    match deed {
        Deed::SetRole { handle, role } => {
            let name = handle.as_str();
            let told = match store.set_role(name, role.into()).await? {
                true => format!("{name} has the role {role} now."),
                false => format!("{name} has the role {role} already."),
            };
            writeln!(out, "{told}")?;
        }
        Deed::ResetPassword { handle, stdin } => {
            reset_password(config, store, &handle, stdin.then_some(input), out).await?
        }
        Deed::Sessions { handle } => list(out, &store.log_ins_of(handle.as_str()).await?)?,
        Deed::SetStanding { handle, standing } => {
            let name = handle.as_str();
            let now = match standing {
                Standing::Good => "in good standing",
                Standing::Suspended => "suspended",
                Standing::Banned => "banned",
            };
            let told = match store.set_standing(name, standing).await? {
                None => format!("{name} is {now} already."),
                Some(0) => format!("{name} is {now} now."),
                Some(ended) => format!("{name} is {now} now; log-ins ended: {ended}."),
            };
            writeln!(out, "{told}")?;
        }
        Deed::VerifyLog { was } => match store.check_log(was).await? {
            LogCheck::Whole { lines: 0, .. } => writeln!(out, "The log is empty.")?,
            LogCheck::Whole { lines, last } => writeln!(out, "The log is whole. Its last line is {lines}:{last}")?,
            LogCheck::Broken { at, what } => return Err(AdminFault::Log { at, what }),
        },
        Deed::DeleteAccount { handle, yes } => {
            delete_account(config, store, &handle, (!yes).then_some(input), out).await?
        }
        Deed::Logout { handle } => {
            let ended = store.log_out_everywhere(handle.as_str()).await?;
            writeln!(out, "{} is logged out everywhere; log-ins ended: {ended}.", handle.as_str())?;
        }
    }
    Ok(())
}

async fn reset_password(
    config: &Config,
    store: &Store,
    handle: &Handle,
    input: Option<&mut impl BufRead>,
    out: &mut impl Write,
) -> Result<(), AdminFault> {
    let secret = match &config.secret {
        Some(given) => Secret::given(given),
        None => Secret::found_in(&config.data_folder())?,
    };
    auth::fits(Arc::new(store.clone()), &secret.derive(Purpose::SigningKeys)).await?;
    let given = input.is_some();
    let password = match input {
        Some(input) => password::read(input)?,
        None => password::made(),
    };
    // Here nobody else waits: hashing may block.
    let hash = auth::hashers(config, &secret)()?.hash(&password).await?;
    let ended = store.reset_password(handle.as_str(), &hash).await?;
    writeln!(out, "{} has a new password; log-ins ended: {ended}.", handle.as_str())?;
    if !given {
        writeln!(out, "It is shown this once: {}", password.expose_secret())?;
    }
    Ok(())
}

/// Says what will happen, and does it once the handle has been typed again into `input`; at once without one.
async fn delete_account(
    config: &Config,
    store: &Store,
    handle: &Handle,
    input: Option<&mut impl BufRead>,
    out: &mut impl Write,
) -> Result<(), AdminFault> {
    let name = handle.as_str();
    let log_ins = store.log_ins_of(name).await?.len();
    let days = config.handle_rest_days;
    if let Some(input) = input {
        writeln!(out, "This ends the account of {name} for good; there is no way back.")?;
        writeln!(out, "- Log-ins that end at once, with their connections: {log_ins}.")?;
        writeln!(out, "- Name, address, password, drafts and settings are gone at once, and so are {name}'s bots.")?;
        writeln!(out, "- All posts, comments, reactions and follows are deleted within minutes, if a server runs.")?;
        writeln!(out, "- Nobody can take the handle for {days} days.")?;
        write!(out, "To go on, type {name}: ")?;
        out.flush()?;
        let mut typed = String::new();
        // More than a handle is none.
        io::Read::take(input, CONFIRMATION_BYTES).read_line(&mut typed)?;
        if typed.trim() != name {
            return Err(AdminFault::NotConfirmed);
        }
    }
    store.delete_account(name, days).await?;
    writeln!(out, "The account of {name} is deleted; log-ins ended: {log_ins}.")?;
    Ok(())
}

/// One line for each, what is longest last.
fn list(out: &mut impl Write, log_ins: &[LogIn]) -> io::Result<()> {
    writeln!(out, "{:36}  {:20}  {:20}  {:20}  device", "session", "began", "last seen", "client")?;
    for log_in in log_ins {
        let client = log_in.client.as_deref().unwrap_or("-");
        let device = log_in.device.as_deref().unwrap_or("-");
        let (began, seen) = (time(log_in.created_at), time(log_in.seen_at));
        writeln!(out, "{}  {began:20}  {seen:20}  {client:20}  {device}", log_in.id)?;
    }
    Ok(())
}

/// `2026-11-23T17:05:00Z`.
fn time(at: Millis) -> String {
    let at = i64::try_from(at.0).ok().and_then(|ms| jiff::Timestamp::from_second(ms / 1_000).ok());
    at.map_or_else(|| "-".to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> impl Iterator<Item = OsString> {
        line.split(' ').map(OsString::from)
    }

    #[test]
    fn only_the_first_word_makes_it_a_matter_for_admins() {
        assert_eq!(asked(words("tidings admin sessions ann")).unwrap(), ["sessions", "ann"]);
        assert!(asked(words("tidings --listen admin")).is_none());
        assert!(asked(words("tidings")).is_none());
    }

    #[test]
    fn a_time_is_written_to_the_second() {
        assert_eq!(time(Millis(1_767_225_600_999)), "2026-01-01T00:00:00Z");
        assert_eq!(time(Millis(u64::MAX)), "-");
    }
}
