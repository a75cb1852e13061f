//! `cargo xtask campaign`: builds the release, the harness and the campaign, and breaks the first while the second examines it.
//!
//! Owns nothing of the campaign itself: all arguments but the binaries are passed on.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{
    install::{self, Part},
    shell::{self, Cargo},
};

/// Runs a campaign; its exit code is that of the campaign: 0 good, 1 something was wrong, 2 it could not be run.
pub(crate) fn campaign(args: &[String]) -> Result<ExitCode> {
    install::ensure(&[Part::Postgres, Part::Redis])?;
    let packages = ["--package", "tidings", "--package", "tidings-load", "--package", "tidings-campaign"];
    Cargo::new(["build", "--release", "--bins"]).args(packages).run()?;
    let built = shell::target().join("release");
    let mut campaign = Command::new(built.join("tidings-campaign"));
    campaign.arg("--server").arg(built.join("tidings")).arg("--harness").arg(built.join("tidings-load"));
    let keep = shell::target().join("campaign");
    campaign.arg("--keep").arg(keep).args(args).current_dir(shell::root());
    let code = shell::status(&mut campaign)?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
