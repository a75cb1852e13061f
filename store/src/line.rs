//! A borrowed connection that goes back to its pool only when it is known to be sound.
//! Must never let a connection with an unanswered question back in: it would block the next one to borrow it.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSeverity};
use sqlx::{Connection, Postgres, pool::PoolConnection};

use crate::faults;

/// Longest wait for a free connection, a new one included.
const ACQUIRE_LIMIT: Duration = Duration::from_millis(1_000);
/// What the network may add to the server's own time limit before we stop waiting for its answer.
const NETWORK_ALLOWANCE: Duration = Duration::from_millis(500);
/// A connection idle for longer is asked whether it is still there; a busy one tells by itself.
const TRUST_IDLE: Duration = Duration::from_secs(1);
/// A line is not kept in hand for longer, so that its pool can renew the connection.
const KEEP_LIMIT: Duration = Duration::from_secs(600);

/// Plans are made once per connection, perhaps while the tables are still small, and kept when they have grown: only plans that stay
/// good may be chosen. Every statement of ours walks indexes and asks for little. (A merge join over all posts, chosen by estimate,
/// made a page of `home` 500 ms.)
const STEADY_PLANS: [(&str, &str); 6] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_bitmapscan", "off"),
    // All of a table, kept to be looked through for each row: a plan for tables that are analysed while they are empty.
    ("enable_material", "off"),
    // Compiling a query takes longer than any query we have.
    ("jit", "off"),
];

/// What a pool is for.
pub(crate) struct Purpose<'a> {
    pub(crate) node: &'a str,
    pub(crate) purpose: &'a str,
    pub(crate) most: u32,
    /// The server ends a statement after this.
    pub(crate) limit: Duration,
    /// Shared by all pools of one database: what ends one connection ends most of them.
    pub(crate) losses: &'a Losses,
}

/// When a connection was last lost. What has been idle since before that is not trusted, however short: a Postgres that was killed and is
/// back within a second would otherwise be called unavailable once for each connection in the pools.
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses(Arc<Mutex<Option<Instant>>>);

impl Losses {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn since(&self, then: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|last| last >= then)
    }

    /// Whether a connection that has been idle for so long may be used without asking whether it is still there.
    fn trust(&self, idle: Duration) -> bool {
        idle <= TRUST_IDLE && Instant::now().checked_sub(idle).is_none_or(|since| !self.since(since))
    }
}

/// Connections for one purpose.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    connections: PgPool,
    limit: Duration,
    /// A line in hand for the next batch.
    kept: Arc<Mutex<Option<Kept>>>,
    losses: Losses,
}

/// Giving a connection back costs a round trip, which is a tenth of a small batch.
#[derive(Debug)]
struct Kept {
    line: Line,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(target: &PgConnectOptions, purpose: &Purpose<'_>) -> Self {
        let limit_ms = purpose.limit.as_millis().to_string();
        let target = target
            .clone()
            .application_name(&format!("{} {}", purpose.node, purpose.purpose))
            .options([
                ("statement_timeout", limit_ms.as_str()),
                ("idle_in_transaction_session_timeout", limit_ms.as_str()),
                ("default_transaction_isolation", "read committed"),
            ])
            .options(STEADY_PLANS);
        let losses = purpose.losses.clone();
        let connections = PgPoolOptions::new()
            .max_connections(purpose.most)
            .acquire_timeout(ACQUIRE_LIMIT)
            .test_before_acquire(false)
            .before_acquire(move |connection, known| {
                let losses = losses.clone();
                Box::pin(async move {
                    if !losses.trust(known.idle_for) {
                        // The others, though not idle for so long, are no better.
                        timed(NETWORK_ALLOWANCE, connection.ping()).await.inspect_err(|_| losses.note())?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(target);
        Self { connections, limit: purpose.limit, kept: Arc::default(), losses: purpose.losses.clone() }
    }

    /// Borrows a connection, within [`ACQUIRE_LIMIT`].
    pub(crate) async fn line(&self) -> Result<Line, sqlx::Error> {
        let connection = self.connections.acquire().await?;
        let losses = self.losses.clone();
        Ok(Line { connection: Some(connection), sound: false, taken: Instant::now(), losses })
    }

    /// As [`Pool::line`], by preference the one last [kept](Pool::keep).
    pub(crate) async fn kept_line(&self) -> Result<Line, sqlx::Error> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        match kept {
            Some(kept) if self.losses.trust(kept.since.elapsed()) => Ok(kept.line),
            _ => self.line().await,
        }
    }

    /// Keeps a sound line in hand for the next [`Pool::kept_line`], unless another is, or it has grown old.
    pub(crate) fn keep(&self, line: Line) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() && line.sound && line.taken.elapsed() < KEEP_LIMIT {
            *kept = Some(Kept { line, since: Instant::now() });
        }
    }

    /// How long to wait for an answer: the server gives up first, unless it cannot be heard.
    pub(crate) fn patience(&self) -> Duration {
        self.limit + NETWORK_ALLOWANCE
    }

    pub(crate) async fn close(&self) {
        drop(self.kept.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.connections.close().await;
    }
}

/// A borrowed connection. Unless [`Line::settle`] has seen a sound answer, it is closed when dropped, also when its user was
/// cancelled half-way.
#[derive(Debug)]
pub(crate) struct Line {
    /// There until the line is dropped.
    connection: Option<PoolConnection<Postgres>>,
    sound: bool,
    taken: Instant,
    losses: Losses,
}

impl Line {
    /// For one statement, whose answer goes to [`Line::settle`].
    pub(crate) fn open(&mut self) -> &mut PgConnection {
        self.sound = false;
        self.connection.as_mut().expect("it is taken only when the line is dropped")
    }

    /// Judges the connection by its answer.
    pub(crate) fn settle<T>(&mut self, answer: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        self.sound = match &answer {
            Ok(_) | Err(sqlx::Error::RowNotFound) => true,
            Err(error) => faults::postgres(error).is_some_and(|said| {
                matches!(said.severity(), PgSeverity::Error)
                    // Prepared for a schema that has changed since: a new connection knows better.
                    && !matches!(said.code(), faults::PLAN_CHANGED | faults::NO_SUCH_STATEMENT)
            }),
        };
        if !self.sound {
            self.losses.note();
        }
        answer
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        if tokio::runtime::Handle::try_current().is_err() {
            // The program is ending and with it the runtime that giving back needs: cut it.
            drop(connection.leak());
        } else if !self.sound {
            connection.close_on_drop();
        }
    }
}

/// The answer, or a time-out as an I/O error.
pub(crate) async fn timed<T>(
    patience: Duration,
    question: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(patience, question)
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_loss_only_what_has_been_used_since_is_trusted() {
        let losses = Losses::default();
        let idle = Duration::from_millis(50);
        assert!(losses.trust(idle) && !losses.trust(2 * TRUST_IDLE));
        losses.note();
        assert!(!losses.trust(idle));
        assert!(!losses.since(Instant::now() + idle));
    }
}
