//! Where the installed Postgres server binaries are.
//!
//! Only looks; never installs, and never takes a folder that lacks one of the programs a cluster needs.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Fault;

/// The oldest major version taken: 14 has everything the migrations use and is the oldest still maintained upstream.
pub const OLDEST_MAJOR: u32 = 14;

/// One line for people without Postgres.
#[cfg(target_os = "macos")]
pub(crate) const INSTALL_HINT: &str = "install them with `brew install postgresql@17`";
/// One line for people without Postgres.
#[cfg(not(target_os = "macos"))]
pub(crate) const INSTALL_HINT: &str =
    "install your system's Postgres server package (Debian, Ubuntu: postgresql; Fedora: postgresql-server)";

/// What a cluster needs, side by side in one folder.
const PROGRAMS: [&str; 3] = ["postgres", "initdb", "psql"];

/// A folder with the server's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The folder.
    pub folder: PathBuf,
    /// Their major version, such as 17.
    pub major: u32,
}

impl Binaries {
    /// The path of one of the programs.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Looks at one folder: `None` unless all programs are there and new enough.
    fn at(folder: &Path) -> Option<Self> {
        // A link in /usr/local/bin leads to the folder where its siblings are.
        let folder = fs::canonicalize(folder.join("postgres")).ok()?.parent()?.to_path_buf();
        if !PROGRAMS.iter().all(|program| folder.join(program).is_file()) {
            return None;
        }
        let said = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        let major = major_version(&String::from_utf8_lossy(&said.stdout))?;
        (major >= OLDEST_MAJOR).then_some(Self { folder, major })
    }
}

/// Finds the server binaries to use for a new cluster: the newest installed.
///
/// # Errors
/// [`Fault::NoBinaries`] when there are none.
pub fn find_binaries() -> Result<Binaries, Fault> {
    all_binaries().into_iter().next().ok_or(Fault::NoBinaries)
}

/// All usable server binaries, newest first.
pub(crate) fn all_binaries() -> Vec<Binaries> {
    let mut found: Vec<Binaries> = Vec::new();
    for folder in candidates() {
        if let Some(binaries) = Binaries::at(&folder)
            && !found.contains(&binaries)
        {
            found.push(binaries);
        }
    }
    // Stable: of equal versions, the one found first (PATH) stays in front.
    found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    found
}

/// Folders where they may be, most telling first.
fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    if let Ok(said) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(String::from_utf8_lossy(&said.stdout).trim()));
    }
    for root in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"] {
        let children = fs::read_dir(root).into_iter().flatten().flatten();
        folders.extend(children.map(|child| child.path().join("bin")));
    }
    // Fedora's and the project's own packages.
    folders.extend((OLDEST_MAJOR..OLDEST_MAJOR + 10).map(|major| PathBuf::from(format!("/usr/pgsql-{major}/bin"))));
    folders.push(PathBuf::from("/Applications/Postgres.app/Contents/Versions/latest/bin"));
    folders
}

/// Reads `postgres (PostgreSQL) 17.2 (Debian …)`, also `18beta1`.
fn major_version(said: &str) -> Option<u32> {
    let number = said.split_whitespace().nth(2)?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_server_prints_them() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_version("sh: not found"), None);
    }

    #[test]
    fn a_folder_without_initdb_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("postgres"), "#!/bin/sh\necho 'postgres (PostgreSQL) 17.0'\n").unwrap();
        assert_eq!(Binaries::at(folder.path()), None);
    }
}
