//! Whom Postgres runs as.
//!
//! Root drops to the `postgres` user; everybody else runs it as themselves. Never gives a folder away that it did not
//! make for that purpose.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::Path,
};

use nix::unistd::{Gid, Uid, User, chown, geteuid};

use crate::Fault;

/// The account Postgres gets when we are root.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) uid: Uid,
    pub(crate) gid: Gid,
    name: String,
}

impl Account {
    /// `None`: run Postgres as ourselves.
    pub(crate) fn choose() -> Result<Option<Self>, Fault> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        match User::from_name("postgres") {
            Ok(Some(user)) => Ok(Some(Self { uid: user.uid, gid: user.gid, name: user.name })),
            Ok(None) | Err(_) => Err(Fault::NoAccount),
        }
    }

    /// Whether the account may walk into every folder on the way to `folder`, which must exist.
    pub(crate) fn can_reach(&self, folder: &Path) -> Result<(), Fault> {
        for ancestor in folder.ancestors() {
            let found = fs::metadata(ancestor).map_err(Fault::file(ancestor))?;
            let bit = if found.uid() == self.uid.as_raw() {
                0o100
            } else if found.gid() == self.gid.as_raw() {
                0o010
            } else {
                0o001
            };
            if found.mode() & bit == 0 {
                return Err(Fault::Unreachable {
                    folder: folder.to_path_buf(),
                    closed: ancestor.to_path_buf(),
                    account: self.name.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Makes a folder that only Postgres may enter, if it is not there.
pub(crate) fn make_private(folder: &Path, account: Option<&Account>) -> Result<(), Fault> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(cause) => {
            return Err(Fault::File { path: folder.to_path_buf(), cause });
        }
    }
    give(folder, account)
}

/// Makes `path` the account's.
pub(crate) fn give(path: &Path, account: Option<&Account>) -> Result<(), Fault> {
    let Some(account) = account else {
        return Ok(());
    };
    chown(path, Some(account.uid), Some(account.gid))
        .map_err(|errno| Fault::File { path: path.to_path_buf(), cause: errno.into() })
}

/// Lets the account walk through `folder` (not list it): what lies inside has its own permissions.
pub(crate) fn let_through(folder: &Path) -> Result<(), Fault> {
    let mut permissions = fs::metadata(folder).map_err(Fault::file(folder))?.permissions();
    permissions.set_mode(permissions.mode() | 0o011);
    fs::set_permissions(folder, permissions).map_err(Fault::file(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_ancestor_is_named() {
        // An account that owns nothing.
        let stranger =
            Account { uid: Uid::from_raw(4_000_000), gid: Gid::from_raw(4_000_000), name: "stranger".to_owned() };
        let closed = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o700)).tempdir().unwrap();
        let folder = closed.path().join("postgres");
        fs::create_dir(&folder).unwrap();
        let fault = stranger.can_reach(&folder).unwrap_err();
        assert!(matches!(&fault, Fault::Unreachable { closed: named, .. } if named == closed.path()), "{fault}");
        let_through(closed.path()).unwrap();
        stranger.can_reach(&folder).unwrap();
    }
}
