//! `cargo xtask queries`: writes the offline data that lets the store's queries be checked without a database.
//!
//! Run it after changing a query or a migration; the data is committed. Uses a Postgres of this run alone.

use std::{fs, process::ExitCode};

use anyhow::{Context as _, Result};
use tidings_testkit::PrivatePostgres;

use crate::{
    install::{self, Part},
    shell::{self, Cargo},
};

/// The package whose queries are checked.
const STORE: &str = "tidings-store";

/// Applies the migrations to an empty database and has every query checked against it.
pub(crate) fn queries() -> Result<ExitCode> {
    install::ensure(&[Part::Postgres])?;
    let postgres = PrivatePostgres::fast()?;
    let database = postgres.fresh_database()?;
    for migration in sorted("migrations", "sql")? {
        let sql = fs::read_to_string(&migration).with_context(|| migration.display().to_string())?;
        database.psql(&sql).with_context(|| migration.display().to_string())?;
    }
    let data = shell::root().join(".sqlx");
    fs::create_dir_all(&data)?;
    for old in sorted(".sqlx", "json")? {
        fs::remove_file(old)?;
    }
    // What cargo thinks is fresh would not be asked again.
    Cargo::new(["clean", "--package", STORE]).exit_code()?;
    Cargo::new(["check", "--package", STORE])
        .env("SQLX_OFFLINE_DIR", &data)
        .env("DATABASE_URL", database.url())
        .exit_code()
}

/// The files of a folder with an ending, by name.
fn sorted(folder: &str, ending: &str) -> Result<Vec<std::path::PathBuf>> {
    let folder = shell::root().join(folder);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
