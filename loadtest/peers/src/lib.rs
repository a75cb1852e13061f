//! What the servers share: where they listen and how they tell. Each speaks plain WebSocket: what comes in at `/speak`
//! goes out, as it is, to everybody who came in at `/listen`. Must never hold what makes one of them faster than another.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};

/// The path of those who are sent everything.
pub const LISTEN: &str = "/listen";
/// The path of the one who sends.
pub const SPEAK: &str = "/speak";

/// Takes a free port on loopback, with room for thousands who come at once.
///
/// # Errors
/// There is none.
pub fn listener() -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Says on the first line where to connect.
///
/// # Errors
/// Nobody reads it.
pub fn tell(address: SocketAddr) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{address}")?;
    out.flush()
}
