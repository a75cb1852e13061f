//! Owns the port of a proxy: takes connections, leaves them waiting, or refuses them by not listening at all.
//! All its lines end with it.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::sleep,
};

use super::{Door, Shared, Upstream, line, port};

/// Connections that the kernel keeps for us.
const BACKLOG: u32 = 4096;
/// Ports may be taken between finding and binding; more than this many in a row is no accident.
const PORTS_TRIED: u32 = 10;
/// Between two attempts to listen again or to accept.
const PAUSE: Duration = Duration::from_millis(10);

/// Listens on a free port of loopback.
pub(super) fn listen_anywhere() -> Result<(TcpListener, SocketAddr)> {
    let mut last = None;
    for _ in 0..PORTS_TRIED {
        let address = SocketAddr::from(([127, 0, 0, 1], port()?));
        match listen(address) {
            Ok(listener) => return Ok((listener, address)),
            Err(fault) => last = Some(fault),
        }
    }
    Err(last.context("no port was tried")?.into())
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Until the proxy is dropped.
pub(super) async fn run(listener: TcpListener, upstream: Upstream, shared: Arc<Shared>) {
    let address = listener.local_addr();
    let mut listener = Some(listener);
    let mut door = shared.door.subscribe();
    let mut lines = JoinSet::new();
    loop {
        let wanted = *door.borrow_and_update();
        listener = match (wanted, listener, &address) {
            (Door::Shut, _, _) => None,
            (Door::Open | Door::Parked, None, Ok(address)) => listen(*address).ok(),
            (Door::Open | Door::Parked, open, _) => open,
        };
        let done = listener.is_some() != (wanted == Door::Shut);
        if done {
            shared.door_is.send_replace(wanted);
        }
        tokio::select! {
            changed = door.changed() => if changed.is_err() { return },
            // Somebody has taken the port; try again.
            () = sleep(PAUSE), if !done => {}
            client = accept(listener.as_ref()) => {
                let number = shared.tally.taken();
                lines.spawn(line::carry(client, number, upstream.clone(), Arc::clone(&shared)));
            }
            Some(_ended) = lines.join_next() => {}
        }
    }
}

/// The next connection; never one while nobody listens.
async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        match listener.accept().await {
            Ok((client, _)) => return client,
            // Out of descriptors, or the client has gone already.
            Err(_) => sleep(PAUSE).await,
        }
    }
}
