//! The list of mutants, `tests/mutants.toml`: small bugs in the server's own lines, each with the tests that must notice it.
//!
//! Owns its form, and the check that it has not rotted. Never changes a file.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// Where the list is, from the root of the workspace.
pub(super) const LIST: &str = "tests/mutants.toml";

/// One small bug, and who must notice it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mutant {
    /// How it is called on the command line.
    pub(super) name: String,
    /// What it breaks: promises of the design, and invariants of the examiner.
    pub(super) promise: String,
    /// The bug in words.
    pub(super) bug: String,
    /// The file it is in, from the root of the workspace.
    pub(super) file: String,
    /// What stands there, exactly once in that file.
    pub(super) find: String,
    /// What stands there in the mutant.
    pub(super) replace: String,
    /// Arguments of `cargo nextest run`, parted by blanks: the tests of which at least one must fail.
    pub(super) killed_by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    mutant: Vec<Mutant>,
}

/// All mutants, in the order of the list.
pub(super) fn read(root: &Path) -> Result<Vec<Mutant>> {
    let text = fs::read_to_string(root.join(LIST)).context(LIST)?;
    let list: List = toml::from_str(&text).context(LIST)?;
    Ok(list.mutant)
}

/// Where the list no longer fits the tree under `root`, one line each.
pub(super) fn faults(root: &Path, mutants: &[Mutant]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for mutant in mutants {
        if !names.insert(&mutant.name) {
            faults.push(format!("{}: there are two of this name", mutant.name));
        }
        if let Err(fault) = mutant.mutated(root) {
            faults.push(format!("{}: {fault:#}", mutant.name));
        }
        if !mutant.killed_by.split_whitespace().any(|word| word == "-p") {
            faults.push(format!("{}: `killed_by` names no package (-p)", mutant.name));
        }
    }
    faults
}

impl Mutant {
    /// The whole file under `root` with the bug in it.
    ///
    /// # Errors
    /// The place is not there, or not only once.
    pub(super) fn mutated(&self, root: &Path) -> Result<String> {
        let text = fs::read_to_string(root.join(&self.file)).with_context(|| self.file.clone())?;
        self.mutate(&text).with_context(|| self.file.clone())
    }

    fn mutate(&self, text: &str) -> Result<String> {
        anyhow::ensure!(self.find != self.replace, "the mutant changes nothing");
        let (before, after) = text.split_once(&self.find).with_context(|| format!("not found: `{}`", self.find))?;
        // What overlaps the first one counts too.
        let rest = self.find.chars().next().map_or(0, char::len_utf8);
        let again = text[before.len() + rest..].contains(&self.find);
        anyhow::ensure!(!again, "found more than once: `{}`", self.find);
        Ok([before, &self.replace, after].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(find: &str, replace: &str) -> Mutant {
        Mutant {
            name: "a".into(),
            promise: "P1".into(),
            bug: "b".into(),
            file: "none".into(),
            find: find.into(),
            replace: replace.into(),
            killed_by: "-p c".into(),
        }
    }

    #[test]
    fn the_place_must_be_there_exactly_once() {
        assert_eq!(mutant("a + 1", "a").mutate("let b = a + 1;").unwrap(), "let b = a;");
        assert!(mutant("a + 2", "a").mutate("let b = a + 1;").unwrap_err().to_string().contains("not found"));
        assert!(mutant("a", "b").mutate("a a").unwrap_err().to_string().contains("more than once"));
        assert!(mutant("aa", "b").mutate("aaa").unwrap_err().to_string().contains("more than once"));
        assert!(mutant("a", "a").mutate("a").unwrap_err().to_string().contains("nothing"));
    }

    #[test]
    fn a_list_that_has_rotted_is_told_line_by_line() {
        let lost = mutant("a", "b");
        let unnamed = Mutant { killed_by: "some_test".into(), ..lost.clone() };
        let faults = faults(Path::new("/nowhere"), &[lost, unnamed]);
        assert_eq!(faults.len(), 4, "{faults:?}");
    }
}
