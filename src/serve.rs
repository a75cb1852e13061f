//! The listener: one port for REST, page and WebSocket, and the worker threads behind it.
//! Must never look into a WebSocket: the gate gets the request and the bare socket.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_codec::Framed;
use actix_http::{HttpService, KeepAlive, Request, h1};
use actix_rt::net::TcpStream;
use actix_server::Server;
use actix_service::{fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::web::Data;
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::Config;
use crate::gate::{Gate, Room, door};
use crate::http::{self, Front};

/// A request's head must be there by then; what trickles in slower holds a connection (slowloris).
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection may idle between two requests.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long a peer may take to close after us.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// Connections that may wait to be accepted: when thousands come back at once. The kernel cuts it to its own limit.
const BACKLOG: i32 = 4096;
/// Hashing has threads of its own; what is left for blocking threads is making a key now and then.
const BLOCKING_THREADS: usize = 2;

/// Takes the port.
///
/// # Errors
/// When it is taken already, or not ours to take.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for connections of the last run to be forgotten; nobody else can take the port by this.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Serves the listener on worker threads of its own once the result is polled. `drain` is how long connections may take to end.
///
/// # Errors
/// When the listener cannot be used.
pub fn server(
    listener: TcpListener,
    config: &Config,
    front: Data<Front>,
    gate: Gate,
    room: Room,
) -> io::Result<Server> {
    let drain = Duration::from_millis(config.drain_ms);
    let per_second = config.connects_per_worker();
    let builder = Server::build();
    let leaving = builder.graceful_shutdown_signal();
    let server = builder
        .workers(config.worker_threads())
        .worker_max_blocking_threads(BLOCKING_THREADS)
        // Those the gate has taken over are not counted here.
        .max_concurrent_connections(room.at_the_door)
        // Whole seconds, and one more for the last bytes.
        .shutdown_timeout(drain.as_secs() + 1)
        .disable_signals()
        .listen("tidings", listener, move || {
            let gate = gate.clone();
            let upgrade = fn_service(move |(request, framed): (Request, Framed<TcpStream, h1::Codec>)| {
                let session = gate.accept(request, framed);
                async move {
                    session.await;
                    Ok::<(), Infallible>(())
                }
            });
            let leaving = leaving.clone();
            let http = HttpService::build()
                // Idle connections are closed when the node leaves, rather than waited for.
                .graceful_shutdown_signal(move || {
                    let leaving = leaving.clone();
                    async move { leaving.notified().await }
                })
                .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
                .client_request_timeout(HEAD_PATIENCE)
                .client_disconnect_timeout(CLOSE_PATIENCE)
                .tcp_nodelay(true)
                .upgrade(upgrade)
                .finish(map_config(http::app(front.clone()), |()| AppConfig::default()))
                .tcp();
            door(http, per_second)
        })?;
    Ok(server.run())
}
