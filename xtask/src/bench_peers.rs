//! `cargo xtask bench peers`: builds and installs the servers that Tidings is compared with, then has the load harness compare.
//!
//! A peer that cannot be had does not end the run: it is named here with the cause, and again in the report.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};

use crate::{
    install::{self, Part},
    shell::{self, Cargo},
    test,
};

/// Prepares and measures; `args` go to `tidings-load peers`.
pub(crate) fn bench_peers(args: &[String]) -> Result<ExitCode> {
    install::ensure(&[Part::Postgres])?;
    Cargo::new(["build", "--release", "--locked", "--package", "tidings", "--package", "tidings-load"]).run()?;
    let sources = shell::root().join("loadtest/peers");
    let built = shell::target().join("peers");
    for (what, outcome) in [
        ("axum, actix-web-actors and the bare loop", build(&sources, &built)),
        ("ws and socket.io", install_npm(&sources.join("node"))),
        ("NATS", install::ensure(&[Part::Nats])),
    ] {
        if let Err(cause) = outcome {
            eprintln!("without {what}: {cause:#}");
        }
    }
    let load = shell::target().join("release/tidings-load");
    let mut command = std::process::Command::new(load);
    command.arg("peers").arg("--built").arg(built.join("release")).arg("--sources").arg(sources).args(args);
    let code = shell::status(&mut command)?.code().context("tidings-load was killed")?;
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// A workspace of its own, so that no other build pays for it.
fn build(sources: &Path, built: &PathBuf) -> Result<()> {
    let build = Cargo::new(["build", "--release", "--locked", "--manifest-path"]);
    build.args([&sources.join("Cargo.toml")]).args(["--target-dir"]).args([built]).run()
}

fn install_npm(folder: &Path) -> Result<()> {
    install::ensure(&[Part::Npm])?;
    test::npm_packages(folder)
}
