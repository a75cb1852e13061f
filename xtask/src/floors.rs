//! The architecture as a check: imports go down only, one file reads the environment, every file says what it owns.
//!
//! Reads manifests and sources; never changes one. What it cannot see (only the gate knows sockets) is for reviewers.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::shell::{self, Cargo};

/// What a crate must not have below it: by name, or by the beginning of a name that ends in `*`.
struct Floor {
    krate: &'static str,
    /// Nowhere among what it is built from.
    never: &'static [&'static str],
    /// Not named in its own manifest, though what it builds on may have it.
    not_itself: &'static [&'static str],
}

const FLOORS: [Floor; 9] = [
    Floor {
        krate: "tidings-protocol",
        never: &["tidings-*", "tokio*", "actix*", "sqlx*", "redis", "hyper", "reqwest"],
        not_itself: &[],
    },
    Floor {
        krate: "tidings-actors",
        never: &[
            "tidings-store",
            "tidings-bus",
            "tidings-media",
            "tidings",
            "sqlx*",
            "redis",
            "actix-web",
            "actix-http",
            "figment",
        ],
        not_itself: &[],
    },
    Floor {
        krate: "tidings-store",
        never: &["tidings-bus", "tidings-media", "tidings", "redis", "actix-web", "actix-http", "figment"],
        not_itself: &["actix*"],
    },
    Floor {
        krate: "tidings-bus",
        never: &["tidings-store", "tidings-media", "tidings", "sqlx*", "actix-web", "actix-http", "figment"],
        not_itself: &["actix*"],
    },
    Floor {
        krate: "tidings-media",
        never: &["tidings-store", "tidings-bus", "tidings", "sqlx*", "redis", "actix-web", "actix-http", "figment"],
        not_itself: &["actix*"],
    },
    Floor {
        krate: "tidings-load",
        never: &["tidings", "tidings-actors", "tidings-store", "tidings-bus", "tidings-media"],
        not_itself: &[],
    },
    Floor {
        krate: "tidings-private-postgres",
        never: &["tidings-actors", "tidings-store", "tidings-bus", "tokio", "serde"],
        not_itself: &[],
    },
    Floor {
        krate: "tidings-testkit",
        never: &["tidings-protocol", "tidings-actors", "tidings-store", "tidings-bus", "actix*", "sqlx*"],
        not_itself: &[],
    },
    Floor {
        krate: "tidings-campaign",
        never: &["tidings", "tidings-protocol", "tidings-actors", "tidings-store", "tidings-bus", "actix*", "sqlx*"],
        not_itself: &[],
    },
];

/// Who may read the environment: configuration, tests, tools, and what looks for programs in `PATH`.
const MAY_READ_ENVIRONMENT: [&str; 7] =
    ["src/config", "src/main.rs", "xtask/", "tests/", "loadtest/", "store/private-postgres/src/", "actors/src/sim/"];

/// Everything that breaks the rules, one line each.
pub(crate) fn faults() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for floor in &FLOORS {
        let tree = Cargo::new(["tree", "--locked", "--edges", "normal", "--prefix", "depth", "--package"]);
        faults.extend(floor.faults(&tree.args([floor.krate]).output()?));
    }
    for path in sources()? {
        let text = fs::read_to_string(shell::root().join(&path)).with_context(|| path.display().to_string())?;
        faults.extend(faults_of_source(&path, &text));
    }
    Ok(faults)
}

impl Floor {
    /// Reads lines such as `2serde_core v1.0.229`: how deep, and what.
    fn faults(&self, tree: &str) -> Vec<String> {
        let mut faults = Vec::new();
        for line in tree.lines() {
            let line = line.split(' ').next().unwrap_or_default();
            let name = line.trim_start_matches(|c: char| c.is_ascii_digit());
            let depth = &line[..line.len() - name.len()];
            let forbidden = |list: &[&str]| list.iter().any(|pattern| matches(pattern, name));
            if depth == "0" {
                continue;
            }
            if forbidden(self.never) {
                faults.push(format!("{} must not know {name}, not even through others", self.krate));
            } else if depth == "1" && forbidden(self.not_itself) {
                faults.push(format!("{} must not use {name} itself", self.krate));
            }
        }
        faults.sort();
        faults.dedup();
        faults
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

/// The rules for one file of ours.
fn faults_of_source(path: &Path, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: &str| faults.push(format!("{}: {what}", path.display()));
    let first = text.lines().next().unwrap_or_default();
    if !first.starts_with("//! ") || first.len() < 8 {
        fault("does not open by saying what it owns (`//! …`)");
    }
    // Written apart, so that this file does not find itself.
    for unfinished in [concat!("to", "do!("), concat!("unimpl", "emented!(")] {
        if text.contains(unfinished) {
            fault("is unfinished");
        }
    }
    let place = path.to_string_lossy();
    let exempt = MAY_READ_ENVIRONMENT.iter().any(|start| place.starts_with(start)) || place.contains("/tests/");
    if !exempt && text.contains(concat!("env::", "var")) {
        fault("reads the environment; only src/config does");
    }
    faults
}

/// All Rust files of the workspace, relative to its root, but for what cargo and npm make.
fn sources() -> Result<Vec<PathBuf>> {
    let mut folders = vec![PathBuf::new()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(shell::root().join(&folder))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let path = folder.join(&*name);
            if entry.file_type()?.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: Floor = Floor { krate: "tidings-store", never: &["redis", "sqlx*"], not_itself: &["actix*"] };

    #[test]
    fn an_import_that_goes_up_is_found_at_any_depth() {
        let tree = "0tidings-store v0.1.0\n1tidings-actors v0.1.0\n2actix v0.13.5\n3redis v1.8.1\n3sqlx-core v0.9.0\n";
        assert_eq!(
            STORE.faults(tree),
            [
                "tidings-store must not know redis, not even through others",
                "tidings-store must not know sqlx-core, not even through others",
            ]
        );
        let tree = "0tidings-store v0.1.0\n1actix-rt v2.11.0\n";
        assert_eq!(STORE.faults(tree), ["tidings-store must not use actix-rt itself"]);
    }

    #[test]
    fn a_source_that_breaks_the_rules_is_named() {
        let good = "//! Owns the answer.\nfn f() {}\n";
        assert!(faults_of_source(Path::new("actors/src/a.rs"), good).is_empty());
        let reads = format!("//! Owns the answer.\nstd::{}(\"A\")", concat!("env::", "var"));
        assert_eq!(faults_of_source(Path::new("actors/src/a.rs"), &reads).len(), 1);
        assert!(faults_of_source(Path::new("src/config.rs"), &reads).is_empty());
        assert!(faults_of_source(Path::new("store/tests/a.rs"), &reads).is_empty());
        assert_eq!(faults_of_source(Path::new("a.rs"), "use std::fs;\n").len(), 1);
        assert_eq!(faults_of_source(Path::new("a.rs"), "//! \n").len(), 1);
    }
}
