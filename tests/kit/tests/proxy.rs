//! Each way of the chaos proxy to break a link, over real sockets. Must never pass when the fault did nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there, in its steps as well")]

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixListener,
    thread,
    time::{Duration, Instant},
};

use tidings_testkit::{Blow, Door, Proxy, Upstream, Way, Weather, until};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// A server that sends everything back.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || echo_to_the_end(&stream, &stream));
        }
    });
    address
}

fn echo_to_the_end(mut from: impl Read, mut to: impl Write) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}

fn proxy() -> Proxy {
    Proxy::start(Upstream::Tcp(echo())).unwrap()
}

fn dial(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(5 * SECOND)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends these bytes and hears them again.
fn hears(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    let mut heard = vec![0; bytes.len()];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(heard, bytes);
}

/// Nothing arrives for a while.
fn hears_nothing(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(150 * MS)).unwrap();
    let silence = stream.read(&mut [0]).unwrap_err();
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
    stream.set_read_timeout(Some(5 * SECOND)).unwrap();
}

#[test]
fn a_calm_link_carries_every_byte_and_both_ends() {
    let proxy = proxy();
    let mut stream = dial(&proxy);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    let mut reader = stream.try_clone().unwrap();
    let heard = thread::spawn(move || {
        let mut heard = Vec::new();
        reader.read_to_end(&mut heard).unwrap();
        heard
    });
    stream.write_all(&bytes).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(heard.join().unwrap() == bytes, "bytes were changed");
    let counts = proxy.counts();
    assert_eq!((counts.taken, counts.bytes_up, counts.bytes_down), (1, 3_000_000, 3_000_000));
    assert_eq!((counts.held, counts.slowed, counts.swallowed, counts.struck), (0, 0, 0, 0));
    until("its place is given back", SECOND, || Ok((proxy.counts().live == 0).then_some(()))).unwrap();
}

#[test]
fn it_leads_to_a_local_socket_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".s.PGSQL.5432");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        echo_to_the_end(&stream, &stream);
    });
    let url = format!("postgres:///db?host={}&port=5432&user=postgres", folder.path().display());
    let proxy = Proxy::before(&url).unwrap();
    hears(&mut dial(&proxy), b"over there");
    assert!(proxy.url(&url).unwrap().contains(&proxy.address().to_string()));
}

#[test]
fn latency_delays_and_jitter_keeps_the_order() {
    let proxy = proxy();
    let mut stream = dial(&proxy);
    hears(&mut stream, b"quick");
    proxy.set(Way::Both, Weather::late(60 * MS, 20 * MS));
    let sent = Instant::now();
    hears(&mut stream, b"slow");
    assert!(sent.elapsed() >= 120 * MS, "{:?}", sent.elapsed());
    let many: Vec<u8> = (0..=255).collect();
    hears(&mut stream, &many);
    assert!(proxy.counts().slowed > 0);
    proxy.calm();
    let sent = Instant::now();
    hears(&mut stream, b"quick again");
    assert!(sent.elapsed() < 60 * MS, "{:?}", sent.elapsed());
}

#[test]
fn a_narrow_link_keeps_its_rate() {
    let proxy = proxy();
    let mut stream = dial(&proxy);
    proxy.set(Way::Up, Weather::narrow(10_000));
    let sent = Instant::now();
    hears(&mut stream, &[7; 4_000]);
    let took = sent.elapsed();
    assert!((300 * MS..3 * SECOND).contains(&took), "4,000 bytes at 10,000 a second took {took:?}");
}

#[test]
fn a_dribble_arrives_byte_by_byte() {
    let proxy = proxy();
    let mut stream = dial(&proxy);
    hears(&mut stream, b"x");
    proxy.set(Way::Down, Weather::dribble(100));
    stream.write_all(b"drip").unwrap();
    let mut reads = Vec::new();
    let mut buffer = [0; 16];
    while reads.iter().sum::<usize>() < 4 {
        reads.push(stream.read(&mut buffer).unwrap());
    }
    assert_eq!(reads, [1, 1, 1, 1]);
}

#[test]
fn a_black_hole_holds_one_way_and_lets_go_when_it_closes() {
    let proxy = proxy();
    let mut stream = dial(&proxy);
    hears(&mut stream, b"before");
    proxy.set(Way::Down, Weather::black_hole());
    stream.write_all(b"into the dark").unwrap();
    until("the answer is held", SECOND, || Ok((proxy.counts().held == 13).then_some(()))).unwrap();
    assert_eq!(proxy.counts().bytes_up, 6 + 13, "the other way is open");
    hears_nothing(&mut stream);
    proxy.calm();
    let mut heard = [0; 13];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"into the dark");
}

#[test]
fn a_cut_is_the_end_of_the_stream_and_the_next_connection_is_carried() {
    let proxy = proxy();
    let (mut one, mut two) = (dial(&proxy), dial(&proxy));
    hears(&mut one, b"1");
    hears(&mut two, b"2");
    assert_eq!(proxy.strike(Blow::Cut, 1), 2);
    assert_eq!(one.read(&mut [0]).unwrap(), 0);
    assert_eq!(two.read(&mut [0]).unwrap(), 0);
    hears(&mut dial(&proxy), b"3");
    assert_eq!(proxy.counts().struck, 2);
}

#[test]
fn a_reset_is_one_on_both_sides() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::start(Upstream::Tcp(listener.local_addr().unwrap())).unwrap();
    let mut stream = dial(&proxy);
    let (mut behind, _) = listener.accept().unwrap();
    behind.write_all(b"x").unwrap();
    stream.read_exact(&mut [0]).unwrap();
    assert_eq!(proxy.strike(Blow::Reset, 1), 1);
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(behind.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn only_the_chosen_connections_are_struck() {
    let proxy = proxy();
    let mut streams: Vec<TcpStream> = (0..4).map(|_| dial(&proxy)).collect();
    for stream in &mut streams {
        hears(stream, b"x");
    }
    assert_eq!(proxy.strike(Blow::Cut, 2), 2);
    let mut gone = 0;
    for stream in &mut streams {
        stream.write_all(b"y").unwrap();
        gone += usize::from(!matches!(stream.read(&mut [0]), Ok(1)));
    }
    assert_eq!(gone, 2);
}

#[test]
fn a_half_open_connection_stays_dead_when_all_else_is_well() {
    let proxy = proxy();
    let mut stream = dial(&proxy);
    hears(&mut stream, b"before");
    assert_eq!(proxy.strike(Blow::HalfOpen, 1), 1);
    until("it is counted", SECOND, || Ok((proxy.counts().half_open == 1).then_some(()))).unwrap();
    stream.write_all(b"hello?").unwrap();
    until("the bytes are swallowed", SECOND, || Ok((proxy.counts().swallowed == 6).then_some(()))).unwrap();
    proxy.calm();
    hears_nothing(&mut stream);
    hears(&mut dial(&proxy), b"a new one works");
}

#[test]
fn a_shut_door_refuses_and_a_parked_one_keeps_waiting() {
    let proxy = proxy();
    proxy.door(Door::Shut).unwrap();
    assert_eq!(TcpStream::connect(proxy.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    proxy.door(Door::Parked).unwrap();
    let mut stream = dial(&proxy);
    stream.write_all(b"waits").unwrap();
    hears_nothing(&mut stream);
    assert_eq!(proxy.counts().parked, 1);
    proxy.door(Door::Open).unwrap();
    let mut heard = [0; 5];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"waits");
}

#[test]
fn the_death_of_the_part_behind_reaches_those_in_front_and_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::start(Upstream::Tcp(listener.local_addr().unwrap())).unwrap();
    let mut stream = dial(&proxy);
    let (mut behind, _) = listener.accept().unwrap();
    behind.write_all(b"last words").unwrap();
    drop((behind, listener));
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"last words");
    let mut late = dial(&proxy);
    assert!(!matches!(late.read(&mut [0]), Ok(1..)));
    assert_eq!(proxy.counts().refused, 1);
}

#[test]
fn nothing_remains_of_a_proxy_that_is_dropped() {
    let proxy = proxy();
    let mut stream = dial(&proxy);
    hears(&mut stream, b"x");
    let address = proxy.address();
    drop(proxy);
    assert!(!matches!(stream.read(&mut [0]), Ok(1..)));
    until("nobody listens", SECOND, || Ok(TcpStream::connect(address).is_err().then_some(()))).unwrap();
}
