//! `cargo xtask check`: what must hold before a change is looked at. Says what ran, and what did not and why.

use std::{
    fmt::Write as _,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Result, bail};

use crate::{
    floors, mutants,
    shell::{self, Cargo},
};

/// Takes three minutes to build, once; newer ones may find other faults.
const DENY_VERSION: &str = "0.20.2";

/// How one of the checks went.
enum Outcome {
    Passed,
    Failed,
    Skipped(String),
}

/// A check and its name.
type Check = (&'static str, fn() -> Result<Outcome>);

const CHECKS: [Check; 6] = [
    ("format", format),
    ("floors", floors),
    ("mutants", mutants),
    ("lints", lints),
    ("deny", deny),
    ("advisories", advisories),
];

/// Runs all checks, or those named in `only`; goes on after one has failed.
pub(crate) fn check(only: &[String]) -> Result<ExitCode> {
    if let Some(unknown) = only.iter().find(|name| CHECKS.iter().all(|(known, _)| known != name)) {
        bail!("no such check: {unknown} (there are format, floors, mutants, lints, deny, advisories)");
    }
    let mut code = ExitCode::SUCCESS;
    let mut report = String::new();
    for (name, check) in CHECKS {
        if !only.is_empty() && !only.iter().any(|chosen| chosen == name) {
            continue;
        }
        match check()? {
            Outcome::Passed => writeln!(report, "passed   {name}")?,
            Outcome::Skipped(why) => writeln!(report, "skipped  {name}: {why}")?,
            Outcome::Failed => {
                writeln!(report, "FAILED   {name}")?;
                code = ExitCode::FAILURE;
            }
        }
    }
    print!("{report}");
    Ok(code)
}

fn format() -> Result<Outcome> {
    passes(Cargo::new(["fmt", "--all", "--check"]))
}

fn lints() -> Result<Outcome> {
    let clippy = Cargo::new(["clippy", "--workspace", "--all-targets", "--locked"]);
    passes(clippy.args(["--", "-D", "warnings"]))
}

fn advisories() -> Result<Outcome> {
    let why = "they need a database from the net; run `cargo deny check advisories` where there is one";
    Ok(Outcome::Skipped(why.to_owned()))
}

fn passes(cargo: Cargo) -> Result<Outcome> {
    let passed = cargo.succeeds()?;
    Ok(if passed { Outcome::Passed } else { Outcome::Failed })
}

fn floors() -> Result<Outcome> {
    let faults = floors::faults()?;
    for fault in &faults {
        println!("floors: {fault}");
    }
    Ok(if faults.is_empty() { Outcome::Passed } else { Outcome::Failed })
}

/// Whether each mutant of the list still has its place; trying them takes `cargo xtask mutants`.
fn mutants() -> Result<Outcome> {
    let faults = mutants::faults()?;
    for fault in &faults {
        println!("mutants: {fault}");
    }
    Ok(if faults.is_empty() { Outcome::Passed } else { Outcome::Failed })
}

/// `cargo deny`, but for what needs a database of advisories.
fn deny() -> Result<Outcome> {
    let Some(deny) = deny_program() else {
        let why = format!("cargo-deny is not there; `cargo install cargo-deny --locked --version {DENY_VERSION}`");
        return Ok(Outcome::Skipped(why));
    };
    let mut command = Command::new(deny);
    command
        .args(["--workspace", "--locked", "--log-level", "error"])
        .args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"])
        .current_dir(shell::root());
    let passed = shell::status(&mut command)?.success();
    Ok(if passed { Outcome::Passed } else { Outcome::Failed })
}

/// The developer's own, or else one beside the build, installed there if that works.
fn deny_program() -> Option<PathBuf> {
    if let Some(own) = shell::find("cargo-deny") {
        return Some(own);
    }
    let tools = shell::target().join("tools");
    let program = tools.join("bin/cargo-deny");
    if !program.is_file() {
        println!("installing cargo-deny {DENY_VERSION} into {} (once, some minutes)", tools.display());
        let install = Cargo::new(["install", "cargo-deny", "--locked", "--quiet", "--version", DENY_VERSION]);
        install.args(["--root".as_ref(), tools.as_os_str()]).run().ok()?;
    }
    Some(program)
}
