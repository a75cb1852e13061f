//! Sorts what goes wrong with the database into the ports' faults.
//! Must never quote what people wrote (P9): of Postgres's words only the code, the constraint and harmless messages are passed on.

use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use tidings_actors::ports::{CommitFault, StoreFault};

/// `feature_not_supported`: "cached plan must not change result type".
pub(crate) const PLAN_CHANGED: &str = "0A000";
/// `invalid_sql_statement_name`.
pub(crate) const NO_SUCH_STATEMENT: &str = "26000";

/// What Postgres itself said, if the error comes from there.
pub(crate) fn postgres(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error().and_then(|said| said.try_downcast_ref::<PgDatabaseError>())
}

/// Whether an error that Postgres reports is about its condition, so that the same may succeed later.
fn passes(code: &str) -> bool {
    const CLASSES: [&str; 9] = [
        "08", // connection
        "25", // transaction state, among it read-only
        "28", // log-in
        "3D", // no such database (yet)
        "40", // deadlock, serialisation
        "53", // disk full, out of memory, too many connections
        "55", // not in this state: in recovery, locked
        "57", // cancelled, shutting down, starting up
        "58", // I/O
    ];
    matches!(code, PLAN_CHANGED | NO_SUCH_STATEMENT) || CLASSES.iter().any(|class| code.starts_with(class))
}

/// For the operator, without what people wrote.
fn describe(error: &sqlx::Error) -> String {
    let Some(said) = postgres(error) else {
        // Decoding errors quote the value they could not read.
        return if let sqlx::Error::ColumnDecode { index, .. } = error {
            format!("column {index} cannot be read")
        } else if matches!(error, sqlx::Error::Decode(_) | sqlx::Error::Encode(_)) {
            "a value cannot be read or written".to_owned()
        } else {
            error.to_string()
        };
    };
    let code = said.code();
    // Class 22 (data exceptions) quotes the value.
    let message = if code.starts_with("22") { "a value was refused" } else { said.message() };
    format!(
        "{message} ({code}{}{})",
        if said.constraint().is_some() { " " } else { "" },
        said.constraint().unwrap_or_default()
    )
}

/// The fault of a read.
pub(crate) fn store(error: sqlx::Error) -> StoreFault {
    let said = describe(&error);
    let later = match postgres(&error) {
        Some(report) => passes(report.code()),
        None => matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
        ),
    };
    if later { StoreFault::Unavailable(said) } else { StoreFault::Broken(said) }
}

/// The fault of a batch that has not been sent yet.
pub(crate) fn not_sent(error: &sqlx::Error) -> CommitFault {
    CommitFault::NotDone(describe(error))
}

/// The fault of a batch on its way. Only what Postgres itself reports as an error of the statement is known to be undone;
/// a session that is being ended (FATAL) may have committed just before.
pub(crate) fn in_flight(error: &sqlx::Error) -> CommitFault {
    let said = describe(error);
    if matches!(error, sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_)) {
        // Never left this process.
        return CommitFault::Rejected(said);
    }
    match postgres(error) {
        Some(report) if matches!(report.severity(), PgSeverity::Error) => {
            if passes(report.code()) {
                CommitFault::NotDone(said)
            } else {
                CommitFault::Rejected(said)
            }
        }
        _ => CommitFault::Unknown(said),
    }
}

/// The fault of a migration.
pub(crate) fn migration(error: MigrateError) -> StoreFault {
    if let MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) = error {
        return store(cause);
    }
    StoreFault::Broken(error.to_string())
}
