//! Makes the programs be there that Tidings and its tests run: looks first, installs where it may, else says what
//! to install.
//!
//! Installs as root with apt, and with Homebrew. Never starts a service, never makes or touches a Postgres cluster of
//! the system, and leaves the system's settings as they were.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use tidings_private_postgres::find_binaries;

use crate::shell::{find, run};

/// Something that has to be on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Postgres,
    Redis,
    Chromium,
    Npm,
    Python,
    /// For `bench peers` alone.
    Nats,
}

impl Part {
    /// What the tests need.
    pub(crate) const ALL: [Self; 5] = [Self::Postgres, Self::Redis, Self::Chromium, Self::Npm, Self::Python];

    fn is_there(self) -> bool {
        match self {
            Self::Postgres => find_binaries().is_ok(),
            Self::Redis => find("redis-server").is_some(),
            Self::Chromium => chromium().is_some(),
            Self::Npm => find("npm").is_some() && find("node").is_some(),
            Self::Python => has_venv(),
            // Debian puts it where only root looks.
            Self::Nats => find("nats-server").is_some() || Path::new("/usr/sbin/nats-server").is_file(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "the Postgres server (14 or newer)",
            Self::Redis => "redis-server",
            Self::Chromium => "Chromium",
            Self::Npm => "Node.js with npm",
            Self::Python => "Python 3 with venv and pip",
            Self::Nats => "nats-server",
        }
    }

    /// Packages of Debian and Ubuntu.
    fn debian(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql"],
            Self::Redis => &["redis-server"],
            Self::Chromium => &["chromium"],
            Self::Npm => &["nodejs", "npm"],
            Self::Python => &["python3", "python3-venv", "python3-pip"],
            Self::Nats => &["nats-server"],
        }
    }

    /// Words for `brew install`.
    fn brew(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql@17"],
            Self::Redis => &["redis"],
            Self::Chromium => &["--cask", "chromium"],
            Self::Npm => &["node"],
            Self::Python => &["python"],
            Self::Nats => &["nats-server"],
        }
    }
}

/// The browser, under any of its names.
pub(crate) fn chromium() -> Option<PathBuf> {
    let app = PathBuf::from("/Applications/Chromium.app/Contents/MacOS/Chromium");
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(find)
        .or_else(|| app.is_file().then_some(app))
}

/// Debian's Python comes without the means to make environments.
fn has_venv() -> bool {
    let asked = Command::new("python3").args(["-c", "import venv, ensurepip"]).output();
    asked.is_ok_and(|ended| ended.status.success())
}

/// Sees to it that all parts are there.
///
/// # Errors
/// Says what to install where it cannot do so itself.
pub(crate) fn ensure(parts: &[Part]) -> Result<()> {
    let missing = missing(parts);
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|part| part.name()).collect();
    eprintln!("installing {}", names.join(", "));
    if find("apt-get").is_some() {
        if !nix::unistd::geteuid().is_root() {
            bail!("missing. Install with: sudo apt-get install {}", debian_packages(&missing).join(" "));
        }
        apt(&missing)?;
    } else if find("brew").is_some() {
        for part in &missing {
            run(Command::new("brew").arg("install").args(part.brew()))?;
        }
    } else {
        bail!("missing. Install {} with your system's packages, then try again", names.join(", "));
    }
    let still: Vec<_> = self::missing(parts).iter().map(|part| part.name()).collect();
    if !still.is_empty() {
        bail!("installed, but still not found: {}", still.join(", "));
    }
    Ok(())
}

fn missing(parts: &[Part]) -> Vec<Part> {
    parts.iter().copied().filter(|part| !part.is_there()).collect()
}

fn debian_packages(parts: &[Part]) -> Vec<&'static str> {
    parts.iter().flat_map(|part| part.debian()).copied().collect()
}

/// Debian and Ubuntu, as root.
fn apt(parts: &[Part]) -> Result<()> {
    apt_get(&["update"])?;
    let _no_services = NoServices::begin()?;
    let mut no_cluster = None;
    if parts.contains(&Part::Postgres) {
        // Its settings decide whether the server's package makes a cluster of its own, so it comes first.
        apt_get(&["install", "postgresql-common"])?;
        no_cluster = Some(NoCluster::begin()?);
    }
    let mut install = vec!["install"];
    install.extend(debian_packages(parts));
    apt_get(&install)?;
    drop(no_cluster);
    if parts.contains(&Part::Redis) && Path::new("/run/systemd/system").exists() {
        // Nobody asked for a Redis that comes up with the machine.
        run(Command::new("systemctl").args(["disable", "--quiet", "redis-server"]))?;
    }
    if parts.contains(&Part::Nats) && Path::new("/run/systemd/system").exists() {
        run(Command::new("systemctl").args(["disable", "--quiet", "nats-server"]))?;
    }
    Ok(())
}

fn apt_get(args: &[&str]) -> Result<()> {
    run(Command::new("apt-get")
        .args(["-qq", "-y", "--no-install-recommends"])
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // A page of progress; what goes wrong comes by the other way.
        .stdout(Stdio::null()))
}

/// While it lives, packages that are installed do not start their services (`invoke-rc.d` asks this file).
struct NoServices {
    ours: bool,
}

impl NoServices {
    const POLICY: &str = "/usr/sbin/policy-rc.d";
    const MARK: &str = "# Written by Tidings' cargo xtask while it installs packages; may be removed.";

    fn begin() -> Result<Self> {
        match fs::read_to_string(Self::POLICY) {
            // Left over from an installation that was killed.
            Ok(found) if found.contains(Self::MARK) => return Ok(Self { ours: true }),
            // A container's: it forbids as well.
            Ok(_) => return Ok(Self { ours: false }),
            Err(_) => {}
        }
        let text = format!("#!/bin/sh\n{}\nexit 101\n", Self::MARK);
        fs::write(Self::POLICY, text).context(Self::POLICY)?;
        run(Command::new("chmod").args(["755", Self::POLICY]))?;
        Ok(Self { ours: true })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours && fs::remove_file(Self::POLICY).is_err() {
            eprintln!("could not remove {}: please do", Self::POLICY);
        }
    }
}

/// While it lives, a Postgres package that is installed makes no cluster.
struct NoCluster {
    before: Option<String>,
}

impl NoCluster {
    const SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

    fn begin() -> Result<Self> {
        let before = fs::read_to_string(Self::SETTINGS).ok();
        let during = format!("{}\ncreate_main_cluster = false\n", before.as_deref().unwrap_or_default());
        fs::write(Self::SETTINGS, during).context(Self::SETTINGS)?;
        Ok(Self { before })
    }
}

impl Drop for NoCluster {
    fn drop(&mut self) {
        let restored = match &self.before {
            Some(before) => fs::write(Self::SETTINGS, before),
            None => fs::remove_file(Self::SETTINGS),
        };
        if let Err(cause) = restored {
            eprintln!("could not restore {}: {cause}", Self::SETTINGS);
        }
    }
}
