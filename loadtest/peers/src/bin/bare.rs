//! The lower bound: one loop, one `send` for each socket, and nothing else. Everything that has come in by one `recv` goes out
//! in one `send`: with one event in flight that is a `send` for each event, with more it gathers what a turn brings.
//! No server: it trusts everybody, and gives up where it would have to wait.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use tidings_peers::{LISTEN, SPEAK, listener, tell};

const DOOR: Token = Token(0);
const SPEAKER: Token = Token(1);
/// What one `recv` takes: more than is ever on its way.
const CHUNK_BYTES: usize = 64 * 1024;
/// A client that has connected says at once what it wants.
const PATIENCE: Duration = Duration::from_secs(5);
/// The bench's clients send the key that RFC 6455 has as its example; this is the RFC's answer.
const UPGRADED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn main() -> Result<()> {
    let mut door = TcpListener::from_std(listener()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut door, DOOR, Interest::READABLE)?;
    tell(door.local_addr()?)?;
    let (mut events, mut loop_) = (Events::with_capacity(64), Loop::default());
    loop {
        if let Err(cause) = poll.poll(&mut events, None) {
            ensure!(cause.kind() == ErrorKind::Interrupted, "poll: {cause}");
        }
        for event in &events {
            match event.token() {
                DOOR => loop_.greet(&door, &poll)?,
                _ => loop_.turn()?,
            }
        }
    }
}

#[derive(Default)]
struct Loop {
    listeners: Vec<TcpStream>,
    speaker: Option<TcpStream>,
    /// Not yet a whole frame.
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Loop {
    fn greet(&mut self, door: &TcpListener, poll: &Poll) -> Result<()> {
        loop {
            let stream = match door.accept() {
                Ok((stream, _)) => stream,
                Err(cause) if cause.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(cause) => return Err(cause.into()),
            };
            let (mut stream, path) = upgrade(stream)?;
            if path == SPEAK {
                poll.registry().register(&mut stream, SPEAKER, Interest::READABLE)?;
                self.speaker = Some(stream);
            } else {
                ensure!(path == LISTEN, "nobody lives at {path}");
                self.listeners.push(stream);
            }
        }
    }

    /// Takes what the speaker has sent and sends it to all. When he leaves, everybody does.
    fn turn(&mut self) -> Result<()> {
        let Some(speaker) = &mut self.speaker else {
            return Ok(());
        };
        loop {
            let begin = self.from.len();
            self.from.resize(begin + CHUNK_BYTES, 0);
            let taken = speaker.read(&mut self.from[begin..]);
            self.from.truncate(begin + *taken.as_ref().unwrap_or(&0));
            match taken {
                Ok(0) => {
                    *self = Self::default();
                    return Ok(());
                }
                Ok(_) => {}
                Err(cause) if cause.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(cause) => return Err(cause.into()),
            }
            self.to.clear();
            let used = relay(&self.from, &mut self.to);
            self.from.drain(..used);
            for listener in &mut self.listeners {
                let sent = listener.write(&self.to).context("a listener does not take what is sent")?;
                ensure!(sent == self.to.len(), "a listener took {sent} bytes of {}", self.to.len());
            }
        }
    }
}

/// Client frames to server frames: the same without mask. Says how many bytes of whole frames there were.
fn relay(mut from: &[u8], to: &mut Vec<u8>) -> usize {
    let all = from.len();
    // Texts of 126 to 65,535 bytes are all the bench sends.
    while let &[first, length, high, low, ref rest @ ..] = from {
        let payload = usize::from(u16::from_be_bytes([high, low]));
        if length != 0x80 | 126 || rest.len() < 4 + payload {
            break;
        }
        let (mask, rest) = rest.split_at(4);
        to.extend([first, 126, high, low]);
        to.extend(rest[..payload].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        from = &rest[payload..];
    }
    all - from.len()
}

/// The handshake, waited for; the path that was asked for.
fn upgrade(stream: TcpStream) -> Result<(TcpStream, String)> {
    let mut stream = std::net::TcpStream::from(stream);
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let (mut request, mut chunk) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut chunk).context("no request")? {
            0 => bail!("no request"),
            taken => request.extend(&chunk[..taken]),
        }
    }
    let request = String::from_utf8(request)?;
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    if !request.contains("dGhlIHNhbXBsZSBub25jZQ==") {
        stream.shutdown(Shutdown::Both)?;
        bail!("another key than the bench's: {request}");
    }
    stream.write_all(UPGRADED)?;
    stream.set_nonblocking(true)?;
    Ok((TcpStream::from_std(stream), path))
}
