//! Making a cluster's files, once.
//!
//! They appear under their final name only when they are complete: a birth cut short leaves nothing that the next
//! start would take for a cluster.

use std::{
    fs::{self, File},
    path::Path,
};

use crate::{
    Binaries, Fault,
    account::{self, Account},
    command,
    places::{PORT, Places},
};

/// The first version with locales of its own, the same on every system.
const BUILTIN_LOCALES_MAJOR: u32 = 17;

/// Runs `initdb` unless there is a cluster. `durable`: wait until its files are on the disk.
pub(crate) fn ensure(
    places: &Places,
    binaries: &Binaries,
    account: Option<&Account>,
    durable: bool,
) -> Result<(), Fault> {
    if places.pgdata.join("PG_VERSION").exists() {
        return Ok(());
    }
    let unborn = places.folder.join("pgdata.new");
    let mut outcome = Ok(());
    for locale in locales(binaries.major) {
        remove(&unborn)?;
        account::make_private(&unborn, account)?;
        outcome = initdb(places, binaries, account, durable, &unborn, &locale);
        // A system that lacks a locale says so; anything else would fail again.
        match &outcome {
            Err(Fault::Program { said, .. }) if said.contains("locale") => {}
            Ok(()) | Err(_) => break,
        }
    }
    outcome?;
    fs::rename(&unborn, &places.pgdata).map_err(Fault::file(&places.pgdata))?;
    File::open(&places.folder).and_then(|folder| folder.sync_all()).map_err(Fault::file(&places.folder))
}

/// Copies a running cluster's files into `places` by `pg_basebackup`; as a standby that follows it when it is started, if so wished.
pub(crate) fn copy(
    places: &Places,
    binaries: &Binaries,
    account: Option<&Account>,
    from: &Path,
    standby: bool,
) -> Result<(), Fault> {
    let unborn = places.folder.join("pgdata.new");
    remove(&unborn)?;
    account::make_private(&unborn, account)?;
    let mut copy = command::program(binaries, "pg_basebackup", &places.folder, account);
    copy.arg("--pgdata").arg(&unborn).arg("--host").arg(from).args(["--port", &PORT.to_string()]);
    copy.args(["--username=postgres", "--checkpoint=fast", "--wal-method=stream", "--no-sync"]);
    if standby {
        copy.arg("--write-recovery-conf");
    }
    command::run(copy)?;
    fs::rename(&unborn, &places.pgdata).map_err(Fault::file(&places.pgdata))
}

/// The major version that made the cluster, if there is one.
pub(crate) fn made_by(pgdata: &Path) -> Option<String> {
    fs::read_to_string(pgdata.join("PG_VERSION")).ok().map(|version| version.trim().to_owned())
}

/// Byte order for sorting, the same everywhere; letters as Unicode knows them, so that search can ignore case.
fn locales(major: u32) -> Vec<Vec<&'static str>> {
    if major >= BUILTIN_LOCALES_MAJOR {
        return vec![vec!["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]];
    }
    vec![vec!["--locale=C", "--lc-ctype=C.UTF-8"], vec!["--locale=C", "--lc-ctype=en_US.UTF-8"], vec!["--locale=C"]]
}

fn initdb(
    places: &Places,
    binaries: &Binaries,
    account: Option<&Account>,
    durable: bool,
    unborn: &Path,
    locale: &[&str],
) -> Result<(), Fault> {
    let mut initdb = command::program(binaries, "initdb", &places.folder, account);
    initdb.arg("--pgdata").arg(unborn);
    // Trust is safe here: the only way in is a socket in a folder that nobody else may enter.
    initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--data-checksums", "--no-instructions"]);
    initdb.args(locale);
    if !durable {
        initdb.arg("--no-sync");
    }
    command::run(initdb).map(drop)
}

/// Removes what a birth cut short has left.
fn remove(unborn: &Path) -> Result<(), Fault> {
    match fs::remove_dir_all(unborn) {
        Ok(()) => Ok(()),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(Fault::File { path: unborn.to_path_buf(), cause }),
    }
}
