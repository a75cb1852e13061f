//! Owns one connection through the proxy, from being taken until both ends are gone, and the blow that may strike it.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::timeout,
};

use super::{
    Blow, Door, Shared, Upstream,
    counts::Tally,
    pump::{Gone, Sky, pump},
    upstream::Behind,
    weather::Way,
};

/// After a cut both sides get this long to hang up, so that the end they see is the end of a stream and no reset.
const FAREWELL: Duration = Duration::from_secs(2);

/// A place among the lines that can be struck; given back when it goes.
struct Place {
    number: u64,
    shared: Arc<Shared>,
}

impl Place {
    fn take(number: u64, shared: &Arc<Shared>) -> (Self, watch::Receiver<Option<Blow>>) {
        let (strike, struck) = watch::channel(None);
        shared.lines().insert(number, strike);
        (Self { number, shared: Arc::clone(shared) }, struck)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.lines().remove(&self.number);
    }
}

/// Carries one connection to its end.
pub(super) async fn carry(client: TcpStream, number: u64, upstream: Upstream, shared: Arc<Shared>) {
    let (place, mut struck) = Place::take(number, &shared);
    wait_for_the_door(&shared).await;
    // The peers we stand between do the same or do not; a proxy must add no delay of its own.
    let _best_effort = client.set_nodelay(true);
    let Ok(behind) = upstream.dial().await else {
        shared.tally.refused();
        let _gone = client.set_zero_linger();
        return;
    };
    match behind {
        Behind::Tcp(mut behind) => {
            let mut client = client;
            let blow = talk(&mut client, &mut behind, number, &shared, &mut struck).await;
            drop(place);
            match blow {
                Some(Blow::Reset) => reset(&client, Some(&behind)),
                other => end(other, client, behind, &shared.tally).await,
            }
        }
        Behind::Unix(mut behind) => {
            let mut client = client;
            let blow = talk(&mut client, &mut behind, number, &shared, &mut struck).await;
            drop(place);
            match blow {
                // A local socket knows no reset; closing it with bytes unread comes closest.
                Some(Blow::Reset) => reset(&client, None),
                other => end(other, client, behind, &shared.tally).await,
            }
        }
    }
}

async fn wait_for_the_door(shared: &Shared) {
    let mut door = shared.door.subscribe();
    if *door.borrow() == Door::Parked {
        shared.tally.parked();
        let _proxy_gone = door.wait_for(|door| *door != Door::Parked).await;
    }
}

/// Until both directions have ended (no blow), one of them broke (passed on as a reset), or a blow struck.
async fn talk(
    client: &mut TcpStream,
    behind: &mut (impl AsyncRead + AsyncWrite + Unpin),
    number: u64,
    shared: &Shared,
    struck: &mut watch::Receiver<Option<Blow>>,
) -> Option<Blow> {
    let sky = |way| Sky { skies: shared.skies.subscribe(), way, number };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_behind, mut to_behind) = tokio::io::split(behind);
    let up = pump(&mut from_client, &mut to_behind, sky(Way::Up), &shared.tally);
    let down = pump(&mut from_behind, &mut to_client, sky(Way::Down), &shared.tally);
    tokio::select! {
        ended = both(up, down) => ended.err().map(|_gone| Blow::Reset),
        struck = struck.wait_for(Option::is_some) => struck.map_or(Some(Blow::Reset), |blow| *blow),
    }
}

/// Until both have ended. Where a receiver is gone, its last words are still carried the other way.
async fn both(
    up: impl Future<Output = Result<(), Gone>>,
    down: impl Future<Output = Result<(), Gone>>,
) -> Result<(), Gone> {
    let (mut up, mut down) = (pin!(up), pin!(down));
    let (first, other) = tokio::select! {
        ended = &mut up => (ended, down),
        ended = &mut down => return after(ended, up).await,
    };
    after(first, other).await
}

async fn after(first: Result<(), Gone>, other: impl Future<Output = Result<(), Gone>>) -> Result<(), Gone> {
    if first == Err(Gone::Sender) {
        return first;
    }
    other.await.and(first)
}

/// Sends both sides a reset once they are dropped.
fn reset(client: &TcpStream, behind: Option<&TcpStream>) {
    for stream in std::iter::once(client).chain(behind) {
        // One that is gone already needs none.
        let _gone = stream.set_zero_linger();
    }
}

/// Any other end than a reset.
async fn end(
    blow: Option<Blow>,
    mut client: TcpStream,
    mut behind: impl AsyncRead + AsyncWrite + Unpin,
    tally: &Tally,
) {
    match blow {
        Some(Blow::HalfOpen) => {
            let other_side = async {
                let _counted = tally.half_open();
                swallow(behind, tally).await;
            };
            tokio::join!(swallow(client, tally), other_side);
        }
        Some(Blow::Cut) => {
            let _both_gone = tokio::join!(client.shutdown(), behind.shutdown());
            let farewell = async { tokio::join!(swallow(client, tally), swallow(behind, tally)) };
            let _enough = timeout(FAREWELL, farewell).await;
        }
        Some(Blow::Reset) | None => {}
    }
}

/// Reads and forgets until this side hangs up.
async fn swallow(mut stream: impl AsyncRead + Unpin, tally: &Tally) {
    let mut buffer = vec![0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        tally.swallowed(read);
    }
}
