//! `cargo xtask mutants`: puts each bug of `tests/mutants.toml` into a copy of the tree and sees whether a test notices.
//!
//! Owns the order of events: tests without any bug first, so that a failure means something. Never touches the developer's tree, but
//! for the page that tells what came of them.

mod list;
mod table;
mod tree;
mod trial;

use std::{collections::BTreeMap, fs, process::ExitCode, time::Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::{
    install::{self, Part},
    shell::{self, Cargo},
};
use list::Mutant;
use table::{Fate, Row};
use trial::Court;

/// Where it is written what came of them.
const PAGE: &str = "docs/mutants.md";

/// Which mutants.
#[derive(Args)]
pub(crate) struct Wish {
    /// Only these, by their names or the beginnings of them; all if none is named
    names: Vec<String>,
    /// Name them, and what they break, instead of trying them
    #[arg(long)]
    list: bool,
}

/// Tries mutants; a failure unless all are killed.
pub(crate) fn mutants(wish: &Wish) -> Result<ExitCode> {
    let all = list::read(shell::root())?;
    let chosen = chosen(&all, &wish.names)?;
    if wish.list {
        for Mutant { name, promise, bug, .. } in chosen {
            println!("{name:<34} {promise:<8} {bug}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let rows = try_all(chosen)?;
    println!();
    for row in &rows {
        println!("{row}");
    }
    println!("{}; what the tests said is in {}", table::tally(&rows), trial::folder().join("said").display());
    let page = shell::root().join(PAGE);
    let before = fs::read_to_string(&page).unwrap_or_default();
    fs::write(&page, table::page(&all, &rows, &before)).context(PAGE)?;
    let all_killed = rows.iter().all(|row| row.fate.is_killed());
    Ok(if all_killed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where the list no longer fits the tree, one line each.
pub(crate) fn faults() -> Result<Vec<String>> {
    let root = shell::root();
    Ok(list::faults(root, &list::read(root)?))
}

fn chosen<'a>(all: &'a [Mutant], names: &[String]) -> Result<Vec<&'a Mutant>> {
    if let Some(unknown) = names.iter().find(|&name| all.iter().all(|mutant| !mutant.name.starts_with(name))) {
        bail!("no mutant's name begins with {unknown}; `cargo xtask mutants --list` names them all");
    }
    let wanted = |mutant: &&Mutant| names.is_empty() || names.iter().any(|name| mutant.name.starts_with(name));
    Ok(all.iter().filter(wanted).collect())
}

fn try_all(mutants: Vec<&Mutant>) -> Result<Vec<Row<'_>>> {
    ensure!(
        Cargo::new(["nextest", "--version"]).output().is_ok(),
        "mutants need cargo-nextest: `cargo install cargo-nextest --locked`"
    );
    install::ensure(&[Part::Postgres, Part::Redis])?;
    let court = Court::open()?;
    let faults = list::faults(court.tree.folder(), &mutants.iter().copied().cloned().collect::<Vec<_>>());
    ensure!(faults.is_empty(), "the list has rotted:\n{}", faults.join("\n"));
    let unproven = without_bugs(&court, &mutants)?;
    let mut rows = Vec::new();
    for mutant in mutants {
        let began = Instant::now();
        let fate = match unproven.get(mutant.killed_by.as_str()) {
            Some(fate) => fate.clone(),
            None => {
                let tests = || court.run(&mutant.name, &mutant.killed_by);
                Fate::of(court.tree.with(mutant, tests)?)
            }
        };
        let row = Row { mutant, fate, seconds: began.elapsed().as_secs() };
        println!("{row}");
        rows.push(row);
    }
    Ok(rows)
}

/// Runs each mutant's tests without it; gives those that prove nothing.
fn without_bugs<'a>(court: &Court, mutants: &[&'a Mutant]) -> Result<BTreeMap<&'a str, Fate>> {
    let mut seen = BTreeMap::new();
    for mutant in mutants {
        let tests = mutant.killed_by.as_str();
        if seen.contains_key(tests) {
            continue;
        }
        let began = Instant::now();
        let ended = court.run(&format!("{}-without", mutant.name), tests)?;
        let passed = if ended == trial::Ended::Passed { "passed" } else { "FAILED" };
        println!("{passed:<9} without mutants: {tests} ({} s)", began.elapsed().as_secs());
        seen.insert(tests, Fate::before(&ended));
    }
    Ok(seen.into_iter().filter_map(|(tests, fate)| Some((tests, fate?))).collect())
}
