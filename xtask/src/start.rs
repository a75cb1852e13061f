//! `cargo xtask start`: from a clean clone to a running server, with `--demo` to one where people talk already.
//!
//! Becomes the server in the end, so that Ctrl-C and SIGTERM reach it and nothing else. The demo watches it and ends with it.

use std::{
    env,
    ffi::OsString,
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Command, ExitCode, Stdio},
};

use anyhow::{Context as _, Result};

use crate::{
    install::{self, Part},
    shell::{self, Cargo},
};

/// Ours alone: the server knows nothing of it.
const DEMO: &str = "--demo";
/// Names the file to which the server writes where it listens, whatever its settings say.
const ADDRESS_FILE: &str = "TIDINGS_ADDRESS_FILE";

/// Installs Postgres if it is needed, builds, and turns into the server.
pub(crate) fn start(args: &[String]) -> Result<ExitCode> {
    let given = env::var_os("DATABASE_URL").is_some_and(|url| !url.is_empty());
    if !given {
        install::ensure(&[Part::Postgres])?;
    }
    let (demo, args): (Vec<&String>, Vec<&String>) = args.iter().partition(|arg| *arg == DEMO);
    Cargo::new(["build", "--release", "--bin", "tidings"]).run()?;
    let built = shell::target().join("release");
    let mut server = Command::new(built.join("tidings"));
    server.args(&args);
    if !demo.is_empty() {
        Cargo::new(["build", "--release", "--package", "tidings-load"]).run()?;
        let file = address_file(&args)?;
        play_demo(&built, &file)?;
        server.env(ADDRESS_FILE, file);
    }
    let cause = server.exec();
    // `exec` comes back only when it failed.
    Err(cause).with_context(|| format!("cannot run {}", server.get_program().display()))
}

/// The file that the server was told to use, or one of ours; empty of what an earlier server wrote.
fn address_file(args: &[&String]) -> Result<PathBuf> {
    const FLAG: &str = "--address-file";
    let flag = args.iter().enumerate().find_map(|(place, arg)| match arg.strip_prefix(FLAG)? {
        "" => args.get(place + 1).map(OsString::from),
        rest => rest.strip_prefix('=').map(OsString::from),
    });
    let told = flag.or_else(|| env::var_os(ADDRESS_FILE)).filter(|file| !file.is_empty());
    let file = told.map_or_else(|| shell::target().join(format!("demo-{}.address", process::id())), PathBuf::from);
    match fs::remove_file(&file) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(cause).with_context(|| format!("cannot remove {}", file.display()))
        }
        Ok(()) | Err(_) => Ok(file),
    }
}

/// Starts the demo beside us. It waits for the server that we are about to become, and ends when our pid is gone.
fn play_demo(built: &Path, address_file: &Path) -> Result<()> {
    let program = built.join("tidings-load");
    Command::new(&program)
        .arg("demo")
        .args(["--while-pid", &process::id().to_string()])
        .arg("--address-file")
        .arg(address_file)
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_reads_the_file_that_the_server_was_told_to_write() {
        let folder = env::temp_dir().join(format!("tidings-xtask-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("address");
        fs::write(&file, "127.0.0.1:1").unwrap();
        let text = file.display().to_string();
        let (flag, joined) = ("--address-file".to_owned(), format!("--address-file={text}"));
        assert_eq!(address_file(&[&joined]).unwrap(), file);
        assert!(!file.exists(), "what an earlier server wrote is gone");
        assert_eq!(address_file(&[&flag, &text]).unwrap(), file);
        assert!(address_file(&[]).unwrap().starts_with(shell::target()));
        fs::remove_dir_all(&folder).unwrap();
    }
}
