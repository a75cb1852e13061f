//! One run of `tidings admin`, with nothing of the test's own environment.

use std::env;
use std::io::Write;
use std::process::{Command, Stdio};

/// As on the nodes of the conversations' world.
pub const SECRET: &str = "a secret that every node of this world has been given";

/// What it said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs it to its end. `settings` are variables of its environment.
pub fn admin(settings: &[(&str, &str)], args: &[&str], piped: &str) -> Said {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tidings"));
    program.arg("admin").args(args).env_clear();
    for name in ["PATH", "TMPDIR", "LLVM_PROFILE_FILE"] {
        program.envs(env::var_os(name).map(|value| (name, value)));
    }
    program.env("TIDINGS_BCRYPT_COST", "4").envs(settings.iter().copied());
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().expect("the binary runs");
    // What it does not read, it does not want.
    let _unread = child.stdin.take().expect("piped").write_all(piped.as_bytes());
    let ended = child.wait_with_output().expect("it ends");
    Said {
        code: ended.status.code().expect("no signal"),
        out: String::from_utf8(ended.stdout).expect("text"),
        err: String::from_utf8(ended.stderr).expect("text"),
    }
}

impl Said {
    /// It was done; what was said of it.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{self:?}");
        self.out
    }

    /// It was not done, and nothing was said but why.
    #[track_caller]
    pub fn refused(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{self:?}");
        assert!(!self.err.is_empty());
        self.err
    }
}
