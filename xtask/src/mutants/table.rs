//! What came of the mutants: a line for each as it happens, and the table of `docs/mutants.md`.
//!
//! Must never call a mutant killed that no test has noticed.

use std::fmt;

use super::{list::Mutant, trial::Ended};

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// These tests failed.
    Killed(Vec<String>),
    /// No test noticed.
    Alive,
    /// It is no mutant: it does not compile.
    NotBuilt,
    /// Its tests prove nothing: they fail without it too, or there are none.
    NoProof(&'static str),
}

impl Fate {
    /// What the tests say of the mutant, when they pass without it.
    pub(super) fn of(ended: Ended) -> Self {
        match ended {
            Ended::Passed => Self::Alive,
            Ended::Failed(by) => Self::Killed(by),
            Ended::NotBuilt => Self::NotBuilt,
            Ended::NoTests => Self::NoProof("no such tests"),
            Ended::Broken => Self::NoProof("the runner failed"),
        }
    }

    /// What speaks against the tests when there is no mutant at all.
    pub(super) fn before(ended: &Ended) -> Option<Self> {
        Some(Self::NoProof(match ended {
            Ended::Passed => return None,
            Ended::Failed(_) => "they fail without it",
            Ended::NotBuilt => "they do not compile without it",
            Ended::NoTests => "no such tests",
            Ended::Broken => "the runner failed without it",
        }))
    }

    pub(super) const fn is_killed(&self) -> bool {
        matches!(self, Self::Killed(_))
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Killed(_) => "killed",
            Self::Alive => "ALIVE",
            Self::NotBuilt => "NOT BUILT",
            Self::NoProof(_) => "NO PROOF",
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Killed(by) => match by.as_slice() {
                [] => "a test".to_owned(),
                [first] => first.clone(),
                [first, others @ ..] => format!("{first} and {} more", others.len()),
            },
            Self::Alive | Self::NotBuilt => "—".to_owned(),
            Self::NoProof(why) => (*why).to_owned(),
        }
    }
}

/// A mutant with what became of it.
pub(super) struct Row<'a> {
    pub(super) mutant: &'a Mutant,
    pub(super) fate: Fate,
    /// Building and testing.
    pub(super) seconds: u64,
}

/// For the terminal.
impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mutant, fate) = (self.mutant, &self.fate);
        let word = fate.word();
        write!(f, "{word:<9} {:<34} {:<8} {:>4} s  {}", mutant.name, mutant.promise, self.seconds, fate.reason())
    }
}

/// How many were killed, in words.
pub(super) fn tally(rows: &[Row<'_>]) -> String {
    let killed = rows.iter().filter(|row| row.fate.is_killed()).count();
    format!("{killed} of {} mutants killed", rows.len())
}

/// The page for `docs/`: a line for each of `all`, new where it has just been tried, else as it was in the page `before`.
pub(super) fn page(all: &[Mutant], tried: &[Row<'_>], before: &str) -> String {
    let lines: Vec<String> = all.iter().map(|mutant| line(mutant, tried, before)).collect();
    let killed = lines.iter().filter(|line| line.contains(KILLED_CELL)).count();
    format!(
        "# Mutants\n\n\
         Small bugs put into the server on purpose, one at a time: the tests named beside each must notice it, or they prove less than\n\
         they seem to. The list is [`tests/mutants.toml`](../tests/mutants.toml). `cargo xtask mutants` tries all of them on a copy of the\n\
         tree, `cargo xtask mutants NAME…` some, and each writes what came of it here. A mutant that does not compile is no kill, and\n\
         tests that fail without it are no proof. Of the tests that notice, the first to fail is named; it ends the run. Seconds are for\n\
         building and testing on two cores that had other work too.\n\n\
         **{killed} of {} mutants killed.**\n\n\
         | mutant | the bug | promise | fate | noticed by | s |\n|---|---|---|---|---|---|\n{}\n",
        lines.len(),
        lines.join("\n")
    )
}

/// What the fate of a killed mutant looks like in its line.
const KILLED_CELL: &str = "| killed |";

fn line(mutant: &Mutant, tried: &[Row<'_>], before: &str) -> String {
    let Mutant { name, bug, file, promise, .. } = mutant;
    let start = format!("| {name} | {bug} (`{file}`) | {promise} |");
    if let Some(Row { fate, seconds, .. }) = tried.iter().find(|row| row.mutant.name == *name) {
        let reason = if fate.is_killed() { format!("`{}`", fate.reason()) } else { fate.reason() };
        return format!("{start} {} | {reason} | {seconds} |", fate.word());
    }
    // Another bug under an old name has not been tried.
    let had = before.lines().find(|line| line.starts_with(&start));
    had.map_or_else(|| format!("{start} NOT TRIED | — | |"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failed_test_kills() {
        assert!(Fate::of(Ended::Failed(vec!["t".into()])).is_killed());
        for other in [Ended::Passed, Ended::NotBuilt, Ended::NoTests, Ended::Broken] {
            assert!(!Fate::of(other).is_killed());
        }
        assert_eq!(Fate::before(&Ended::Passed), None);
        assert!(Fate::before(&Ended::Failed(Vec::new())).is_some_and(|fate| !fate.is_killed()));
    }

    #[test]
    fn a_page_keeps_what_was_not_tried_again_and_says_what_never_was() {
        let mutant = |name: &str| Mutant {
            name: name.into(),
            promise: "P1".into(),
            bug: "b".into(),
            file: "f".into(),
            find: "x".into(),
            replace: "y".into(),
            killed_by: "-p z".into(),
        };
        let all = ["one", "two", "three"].map(mutant);
        let killed = Row { mutant: &all[0], fate: Fate::Killed(vec!["t".into()]), seconds: 3 };
        let before = page(&all, &[killed], "");
        let alive = Row { mutant: &all[1], fate: Fate::Alive, seconds: 4 };
        let page = page(&all, &[alive], &before);
        assert!(page.contains("**1 of 3 mutants killed.**"), "{page}");
        assert!(page.contains("| one | b (`f`) | P1 | killed | `t` | 3 |\n| two | b (`f`) | P1 | ALIVE | — | 4 |"));
        assert!(page.contains("| three | b (`f`) | P1 | NOT TRIED |"));
    }
}
