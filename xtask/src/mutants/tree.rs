//! A copy of the workspace to put bugs into, with builds of its own: the developer's tree and build stay as they are.
//!
//! Never leaves a bug behind: each is taken out again, and one that a killed run has left is overwritten by the next copy.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use super::list::Mutant;
use crate::shell;

/// The copy.
pub(super) struct Tree {
    folder: PathBuf,
}

impl Tree {
    /// Brings the copy in step with what git knows or would take in, as it is in the working tree. What has not changed is not written,
    /// so that only what has changed is built again.
    pub(super) fn in_step() -> Result<Self> {
        let folder = shell::target().join("mutants/tree");
        let wanted = known_to_git()?;
        for path in &wanted {
            copy(&shell::root().join(path), &folder.join(path)).with_context(|| path.display().to_string())?;
        }
        remove_others(&folder, &folder, &wanted.into_iter().collect())?;
        Ok(Self { folder })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Does something while the bug is in.
    pub(super) fn with<T>(&self, mutant: &Mutant, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let file = self.folder.join(&mutant.file);
        let sound = fs::read(&file)?;
        fs::write(&file, mutant.mutated(&self.folder)?)?;
        let done = work();
        fs::write(&file, sound).with_context(|| format!("cannot take the bug out of {}", file.display()))?;
        done
    }
}

/// Files in the index and new ones that are not ignored, as far as they are there.
fn known_to_git() -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(shell::root());
    let listed = git.output().context("git is needed to know which files belong to the tree")?;
    ensure!(listed.status.success(), "git: {}", String::from_utf8_lossy(&listed.stderr).trim());
    let names = String::from_utf8(listed.stdout)?;
    let paths = names.split_terminator('\0').map(PathBuf::from);
    Ok(paths.filter(|path| shell::root().join(path).is_file()).collect())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let wanted = fs::read(from)?;
    if fs::read(to).is_ok_and(|had| had == wanted) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    // With its permissions, and as new as it is.
    fs::copy(from, to)?;
    Ok(())
}

/// Takes away what the workspace has no longer.
fn remove_others(top: &Path, folder: &Path, wanted: &HashSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(top, &path, wanted)?;
        } else if !path.strip_prefix(top).is_ok_and(|known| wanted.contains(known)) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}
