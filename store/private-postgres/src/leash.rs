//! A leash ends a program when its owner dies, however the owner dies: also by `kill -9`, which no `Drop` survives.
//!
//! It is a shell waiting at the end of a pipe whose other end only the owner holds. Never used for a cluster meant to
//! outlive a crash of its owner; made for tests and tasks, which must leave nothing behind.

use std::{
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

/// Waits for the end of the pipe, then asks politely, then not; last, it removes the folder.
const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT
read -r _
kill -s "$1" "$2" 2>/dev/null
tries=0
while kill -0 "$2" 2>/dev/null && [ "$tries" -lt 60 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -s KILL "$2" 2>/dev/null
if [ -n "$3" ]; then rm -rf "$3"; fi
"#;

/// What a leash does when its owner is gone.
#[derive(Clone, Copy, Debug)]
pub struct Rope<'a> {
    /// The pid of the program, a child of the owner that only the owner reaps.
    pub pid: u32,
    /// The first signal it gets, by name without `SIG`; after six seconds it gets `KILL`.
    pub signal: &'a str,
    /// A folder to remove afterwards.
    pub folder: Option<&'a Path>,
}

/// Ends a program when this value's process dies. Dropping it lets the program go.
#[derive(Debug)]
pub struct Leash {
    shell: Child,
    _pipe: Option<ChildStdin>,
}

impl Leash {
    /// Puts a program on the leash.
    ///
    /// # Errors
    /// When there is no `sh`.
    pub fn tie(rope: Rope<'_>) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "leash", rope.signal, &rope.pid.to_string()])
            .arg(rope.folder.unwrap_or(Path::new("")))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of what kills the owner's group.
            .process_group(0)
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, _pipe: pipe })
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // Before the pipe closes, so that the shell never acts on a pid that may be somebody else's by now. Killing
        // a child that has not been waited for cannot fail.
        let _gone = self.shell.kill().and_then(|()| self.shell.wait());
    }
}
