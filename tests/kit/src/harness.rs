//! Finds the load harness beside a server's binary. It is another package, so Cargo does not build it for a test by itself.
//! Must never use one that was built from older code: it is built anew each time, which costs nothing when nothing has changed.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

/// Builds `tidings-load` in the profile of this server (`env!("CARGO_BIN_EXE_tidings")`) and says where it is.
///
/// # Errors
/// When it does not build, or is not beside the server.
pub fn harness(server: impl AsRef<Path>) -> Result<PathBuf> {
    let server = server.as_ref();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "tidings-load"]);
    if server.components().any(|part| part.as_os_str() == "release") {
        build.arg("--release");
    }
    let status = build.current_dir(env!("CARGO_MANIFEST_DIR")).status()?;
    ensure!(status.success(), "the harness does not build");
    let harness = server.with_file_name("tidings-load");
    ensure!(harness.is_file(), "no harness beside {}", server.display());
    Ok(harness)
}
