//! `cargo xtask start`: from a clean clone to a running server.
//!
//! Becomes the server in the end, so that Ctrl-C and SIGTERM reach it and nothing else.

use std::{
    env,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result};

use crate::{
    install::{self, Part},
    shell::{self, Cargo},
};

/// Installs Postgres if it is needed, builds, and turns into the server.
pub(crate) fn start(args: &[String]) -> Result<ExitCode> {
    let given = env::var_os("DATABASE_URL").is_some_and(|url| !url.is_empty());
    if !given {
        install::ensure(&[Part::Postgres])?;
    }
    Cargo::new(["build", "--release", "--bin", "tidings"]).run()?;
    let server = shell::target().join("release/tidings");
    let cause = Command::new(&server).args(args).exec();
    // `exec` comes back only when it failed.
    Err(cause).with_context(|| format!("cannot run {}", server.display()))
}
