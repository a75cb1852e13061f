//! The command line, made from the table of settings. Secrets have no flag: command lines are public on a machine.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, Command, value_parser};

use super::{KEYS, Key};

const ABOUT: &str = "A real-time social feed server: everyone who should see it sees it at once, in order, once.";
const AFTER: &str = "Each setting may stand in the file, in the environment or on the command line; the later wins.\n\
    Times are written with their unit: 500ms, 10s, 5m, 24h, 7d. See docs/configuration.md.\n\n\
    `tidings admin --help` tells what an operator can do to accounts on this machine.";

/// What the command line says.
pub(super) struct Flags {
    /// The configuration file.
    pub(super) file: Option<PathBuf>,
    /// Settings as texts, by name.
    pub(super) settings: Vec<(String, String)>,
}

/// Reads a command line, program name first.
pub(super) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Flags, clap::Error> {
    let mut found = command().try_get_matches_from(args)?;
    let file = found.remove_one("config");
    let settings = KEYS.iter().filter(|key| !key.secret).filter_map(|key| {
        let text: String = found.remove_one(key.name)?;
        Some((key.name.to_owned(), text))
    });
    Ok(Flags { file, settings: settings.collect() })
}

/// The flag of a setting.
pub(super) fn flag(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

fn command() -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("TOML file with settings [variable: TIDINGS_CONFIG]");
    let (secret, open): (Vec<&Key>, Vec<&Key>) = KEYS.iter().partition(|key| key.secret);
    let secrets: String =
        secret.iter().map(|key| format!("  {}\n         {}\n", variable(key), key.meaning.trim())).collect();
    Command::new("tidings")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(format!("Only in the file or the environment:\n{secrets}\n{AFTER}"))
        .arg(config)
        .args(open.into_iter().map(argument))
}

fn argument(key: &Key) -> Arg {
    let default = match key.default {
        "" => String::new(),
        default => format!(" [default: {default}]"),
    };
    let argument = Arg::new(key.name).long(key.name.replace('_', "-")).value_name("VALUE").help(format!(
        "{}{default} [variable: {}]",
        key.meaning.trim(),
        variable(key)
    ));
    match key.bare {
        Some(bare) => argument.num_args(0..=1).require_equals(true).default_missing_value(bare),
        None => argument,
    }
}

fn variable(key: &Key) -> String {
    format!("TIDINGS_{}", key.name.to_uppercase())
}
