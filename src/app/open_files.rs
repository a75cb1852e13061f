//! Open files: each connection is one, and many systems allow 1,024 unless asked.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Where fewer are allowed even when asked, an operator should know.
const ENOUGH: u64 = 10_000;

/// Takes as many as the system lets us have; says how many that is.
pub(super) fn raise() -> u64 {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(now, most)| {
        if now < most {
            setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
        }
        Ok(most)
    });
    match raised {
        Ok(most) if most >= ENOUGH => most,
        Ok(most) => {
            tracing::warn!(most, "few open files are allowed; each connection needs one (ulimit -n)");
            most
        }
        Err(fault) => {
            tracing::warn!(%fault, "the limit of open files could not be raised");
            getrlimit(Resource::RLIMIT_NOFILE).map_or(ENOUGH, |(now, _)| now)
        }
    }
}
