//! One run of chosen tests over the copy, and what it means.
//!
//! Must never take a build that failed, or a run that found no tests, for a kill.

use std::{fs, path::PathBuf};

use anyhow::Result;

use super::tree::Tree;
use crate::{
    shell::{self, Cargo},
    test::Servers,
};

/// For the runner: a mutant that makes a test hang is given up sooner than a test that is merely slow would be.
const SETTINGS: &str =
    "[profile.default]\nslow-timeout = { period = \"30s\", terminate-after = 4, grace-period = \"5s\" }\n";

/// How a run of tests ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// All passed.
    Passed,
    /// These failed; not all of them, as the first ends the run.
    Failed(Vec<String>),
    /// It does not compile.
    NotBuilt,
    /// No test has these names.
    NoTests,
    /// The runner itself failed.
    Broken,
}

/// Runs tests over the copy, with all they need.
pub(super) struct Court {
    pub(super) tree: Tree,
    servers: Servers,
    settings: PathBuf,
}

impl Court {
    pub(super) fn open() -> Result<Self> {
        let tree = Tree::in_step()?;
        let settings = folder().join("nextest.toml");
        fs::write(&settings, SETTINGS)?;
        fs::create_dir_all(folder().join("said"))?;
        Ok(Self { tree, servers: Servers::start()?, settings })
    }

    /// Runs the tests that `chosen` names; what the runner said is kept in a file under `name`.
    pub(super) fn run(&self, name: &str, chosen: &str) -> Result<Ended> {
        let quiet = ["--status-level", "fail", "--final-status-level", "none", "--color", "never"];
        let runner = Cargo::new(["nextest", "run", "--fail-fast", "--show-progress", "none", "--config-file"]);
        let runner = runner.args([&self.settings]).args(quiet).args(chosen.split_whitespace());
        let runner = runner
            .within(self.tree.folder())
            .env("CARGO_TARGET_DIR", folder().join("target"))
            // The same inputs each time, and nothing learnt from the last mutant.
            .env("PROPTEST_RNG_SEED", "7")
            .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
        let (code, said) = self.servers.named_to(runner).heard()?;
        fs::write(folder().join("said").join(name).with_extension("txt"), &said)?;
        Ok(ended(code, &said))
    }
}

/// Where everything of ours is.
pub(super) fn folder() -> PathBuf {
    shell::target().join("mutants")
}

/// Reads the runner's exit code; see `nextest_metadata::NextestExitCode`.
fn ended(code: Option<i32>, said: &str) -> Ended {
    match code {
        Some(0) => Ended::Passed,
        Some(4) => Ended::NoTests,
        Some(100) => Ended::Failed(failed(said)),
        Some(101) => Ended::NotBuilt,
        Some(_) | None => Ended::Broken,
    }
}

/// The tests in lines such as `FAIL [   0.005s] (2/9) tidings-actors tail::machine::tests::p3_a_hole`.
fn failed(said: &str) -> Vec<String> {
    let mut failed: Vec<String> = Vec::new();
    for line in said.lines() {
        let Some((verdict, rest)) = line.trim_start().split_once(' ') else { continue };
        let bad = ["FAIL", "TIMEOUT", "ABORT", "LEAK-FAIL"].contains(&verdict) || verdict.starts_with("SIG");
        let Some((_, test)) = rest.trim_start().split_once(']').filter(|_| bad && rest.trim_start().starts_with('['))
        else {
            continue;
        };
        let name = test.split_whitespace().last().unwrap_or_default().to_owned();
        if !failed.contains(&name) {
            failed.push(name);
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
   Compiling tidings-actors v0.1.0
    Starting 3 tests across 1 binary
        FAIL [   0.005s] (1/3) tidings-actors tail::machine::tests::p3_a_hole
  stdout ───
    SIGNAL of something else
     TIMEOUT [  80.001s] tidings-actors feed::sim
     SIGABRT [   0.010s] (3/3) tidings-store::contract journal::p1
error: test run failed
";

    #[test]
    fn the_tests_that_failed_are_named() {
        let killers = ["tail::machine::tests::p3_a_hole", "feed::sim", "journal::p1"].map(str::to_owned);
        assert_eq!(ended(Some(100), SAID), Ended::Failed(killers.to_vec()));
    }

    #[test]
    fn only_tests_that_failed_are_a_kill() {
        assert_eq!(ended(Some(0), SAID), Ended::Passed);
        assert_eq!(ended(Some(101), SAID), Ended::NotBuilt);
        assert_eq!(ended(Some(4), SAID), Ended::NoTests);
        assert_eq!(ended(Some(104), SAID), Ended::Broken);
        assert_eq!(ended(None, SAID), Ended::Broken);
    }
}
