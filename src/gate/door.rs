//! The door: those who want a WebSocket come in one after the other, at a pace the node can bear (F17), and never so many that no file
//! is left for the database (F21). Must never keep any other request waiting behind them, nor spend anything on those who wait.

use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_rt::net::TcpStream;
use actix_service::{Service, ServiceFactory, fn_factory};
use futures_util::future::LocalBoxFuture;
use metrics::{Counter, Gauge};
use tidings_actors::starts::Waiting;
use tidings_protocol::WEBSOCKET_PATH;
use tokio::time::{Instant, sleep_until, timeout};

/// A storm of 10,000 is let in within this by two threads at the default pace; a client that waits longer gives up and dials again.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Who says nothing for this long is not in a hurry: the HTTP part gives them up in its own time.
const FIRST_WORD: Duration = Duration::from_secs(1);
/// Turns not taken in quiet times, for those who come a few at once.
const SAVED_TURNS: u32 = 32;
/// What is read of a request before it is refused: unread bytes would reset the connection, and the peer would not see why.
const REFUSED_BYTES: usize = 4 * 1024;
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// With the method, as it begins on the wire.
const METHOD: &str = "GET ";

/// Files that are not connections of clients: the database's and the bus's, logs, the threads' own, and what the allocator of numbers needs
/// to accept somebody only to refuse them.
const OTHER_FILES: usize = 64;
const OTHER_FILES_OF_WORKER: usize = 16;

/// How many sockets a node may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// WebSockets.
    pub inside: usize,
    /// Of each worker: waiting at the door or speaking HTTP. Beyond this the listener rests.
    pub at_the_door: usize,
}

impl Room {
    /// The room that so many open files give. Three fifths are for WebSockets: a node full of them can still be asked how it is.
    #[must_use]
    pub fn of(files: u64, workers: usize) -> Self {
        let workers = workers.max(1);
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        let sockets = files.saturating_sub(OTHER_FILES + OTHER_FILES_OF_WORKER * workers);
        let inside = (sockets / 5 * 3).max(1);
        Self { inside, at_the_door: (sockets / 5 * 2 / workers).max(1) }
    }
}

/// The turns of one worker thread.
struct Turns {
    every: Duration,
    /// The first turn nobody has taken.
    next: Cell<Instant>,
    waiting: Gauge,
    refused: Counter,
}

impl Turns {
    fn new(every: Duration) -> Self {
        Self {
            every,
            next: Cell::new(Instant::now()),
            waiting: metrics::gauge!("tidings_door_waiting"),
            refused: metrics::counter!("tidings_door_refused_total"),
        }
    }

    /// Takes the next turn; none if it is too far off.
    fn take(&self, now: Instant) -> Option<Instant> {
        let saved = now.checked_sub(self.every * SAVED_TURNS).unwrap_or(now);
        let turn = self.next.get().max(saved);
        if turn > now + LONGEST_WAIT {
            return None;
        }
        self.next.set(turn + self.every);
        Some(turn)
    }

    /// Waits until the connection may come in. False: it may not.
    async fn admit(&self, stream: &TcpStream) -> bool {
        if !wants_websocket(stream).await {
            return true;
        }
        let now = Instant::now();
        let Some(turn) = self.take(now) else {
            self.refused.increment(1);
            return false;
        };
        if turn > now {
            let _waiting = Waiting::new(&self.waiting);
            sleep_until(turn).await;
        }
        true
    }
}

/// Looks at how the request begins, and leaves it where it is.
async fn wants_websocket(stream: &TcpStream) -> bool {
    let mut first = [0; METHOD.len() + WEBSOCKET_PATH.len()];
    let Ok(Ok(seen)) = timeout(FIRST_WORD, stream.peek(&mut first)).await else {
        return false;
    };
    let wanted = METHOD.bytes().chain(WEBSOCKET_PATH.bytes());
    seen > 0 && first[..seen].iter().copied().eq(wanted.take(seen))
}

/// Says no, without waiting for anything.
fn refuse(stream: &TcpStream) {
    // Whether the peer hears it does not matter: what counts is that the file is free again.
    drop(stream.try_read(&mut [0; REFUSED_BYTES]));
    drop(stream.try_write(REFUSAL));
}

/// The HTTP part behind the door of one worker.
struct Doorway<S> {
    turns: Rc<Turns>,
    http: Rc<S>,
}

impl<S: Service<TcpStream, Response = ()> + 'static> Service<TcpStream> for Doorway<S> {
    type Response = ();
    type Error = S::Error;
    type Future = LocalBoxFuture<'static, Result<(), S::Error>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.http.poll_ready(cx)
    }

    fn call(&self, stream: TcpStream) -> Self::Future {
        let (turns, http) = (Rc::clone(&self.turns), Rc::clone(&self.http));
        Box::pin(async move {
            if turns.admit(&stream).await {
                // In a box of its own, made now: those who wait must not hold a dispatcher's several KB.
                Box::pin(http.call(stream)).await
            } else {
                refuse(&stream);
                Ok(())
            }
        })
    }
}

/// Puts the door of one worker before its HTTP part. `per_second`: how many WebSockets come in.
pub fn door<F>(
    http: F,
    per_second: u32,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = F::Error, InitError = F::InitError>
where
    F: ServiceFactory<TcpStream, Config = (), Response = ()> + 'static,
{
    let turns = Rc::new(Turns::new(Duration::from_secs(1) / per_second.max(1)));
    fn_factory(move || {
        let (http, turns) = (http.new_service(()), Rc::clone(&turns));
        async move { Ok(Doorway { turns, http: Rc::new(http.await?) }) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_limit_of_files_leaves_some_for_the_database() {
        let room = Room::of(256, 2);
        assert!(room.inside + 2 * room.at_the_door <= 256 - 64, "{room:?}");
        assert!(room.inside >= 64, "{room:?}");
        assert_eq!(Room::of(10, 4), Room { inside: 1, at_the_door: 1 });
        assert!(Room::of(u64::MAX, 2).inside > 1_000_000);
        assert!(Room::of(20_000, 2).inside > 10_000);
    }

    #[test]
    fn some_come_at_once_and_the_rest_one_after_the_other() {
        let turns = Turns::new(Duration::from_millis(10));
        let now = Instant::now() + Duration::from_secs(60);
        let all: Vec<Instant> = std::iter::from_fn(|| turns.take(now)).take(2_000).collect();
        let at_once = all.iter().filter(|&&turn| turn <= now).count();
        assert_eq!(at_once, usize::try_from(SAVED_TURNS).unwrap() + 1);
        assert!(all.windows(2).all(|two| two[1] - two[0] == Duration::from_millis(10)));
        assert_eq!(all.len(), at_once + 1_000, "nobody waits longer than {LONGEST_WAIT:?}");
        let later = now + Duration::from_secs(5);
        assert!(turns.take(later).is_some(), "there is room in the line again");
    }
}
