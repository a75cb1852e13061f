//! A stable address in front of a server that may be exchanged: what a virtual IP or a pooler is in service, and a cable to be cut.
//! Must never look into what passes. Threads of its own, so that a test that blocks does not hold it up.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// What is behind a door.
#[derive(Clone, Debug)]
pub enum Behind {
    /// The socket of a Postgres.
    Socket(PathBuf),
    /// A port of loopback.
    Port(u16),
}

/// How a door stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Open,
    /// Connections stay and new ones are taken, but nothing passes: a cable that was pulled.
    Held,
    /// Questions pass, answers do not.
    AnswersHeld,
    /// The listener is to go.
    Gone,
}

/// Which way something passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

#[derive(Debug)]
struct Inside {
    behind: Behind,
    stand: Stand,
    /// Both ends of everything that passes.
    ends: Vec<End>,
}

#[derive(Debug, Default)]
struct Hinge {
    inside: Mutex<Option<Inside>>,
    moved: Condvar,
}

/// The door. Everything that passes is cut when it is dropped.
#[derive(Debug)]
pub struct Door {
    port: u16,
    hinge: Arc<Hinge>,
}

#[derive(Debug)]
enum End {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Door {
    /// An open door to a server.
    pub fn to(behind: Behind) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let hinge = Arc::new(Hinge::default());
        *hinge.inside.lock().expect("no panic") = Some(Inside { behind, stand: Stand::Open, ends: Vec::new() });
        let at = Arc::clone(&hinge);
        thread::spawn(move || {
            for coming in listener.incoming() {
                if at.is(Stand::Gone) {
                    return;
                }
                // Who cannot be let through is cut, as by a server that is away.
                let _cut = coming.and_then(|coming| at.let_through(coming));
            }
        });
        Ok(Self { port, hinge })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts everything that passes and leads to another server from now on.
    pub fn lead_to(&self, behind: Behind) {
        self.hinge.change(|inside| {
            inside.behind = behind;
            inside.cut();
        });
    }

    /// Nothing passes any more, and nobody is told.
    pub fn hold(&self) {
        self.hinge.change(|inside| inside.stand = Stand::Held);
    }

    /// What is asked arrives, and its answer does not come back.
    pub fn hold_answers(&self) {
        self.hinge.change(|inside| inside.stand = Stand::AnswersHeld);
    }

    /// Cuts everything that passes.
    pub fn cut(&self) {
        self.hinge.change(Inside::cut);
    }

    /// What was held goes on, as after a cable was put back.
    pub fn open(&self) {
        self.hinge.change(|inside| inside.stand = Stand::Open);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.hinge.change(|inside| {
            inside.stand = Stand::Gone;
            inside.cut();
        });
        // Wakes the listener.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

impl Inside {
    fn cut(&mut self) {
        for end in self.ends.drain(..) {
            end.cut();
        }
    }
}

impl Hinge {
    fn change(&self, change: impl FnOnce(&mut Inside)) {
        change(self.inside.lock().expect("no panic").as_mut().expect("set at the start"));
        self.moved.notify_all();
    }

    fn is(&self, stand: Stand) -> bool {
        self.inside.lock().expect("no panic").as_ref().is_some_and(|inside| inside.stand == stand)
    }

    fn wait_until_not_held(&self, way: Way) {
        let held = |inside: &mut Option<Inside>| {
            inside.as_ref().is_some_and(|inside| match inside.stand {
                Stand::Held => true,
                Stand::AnswersHeld => way == Way::Back,
                Stand::Open | Stand::Gone => false,
            })
        };
        drop(self.moved.wait_while(self.inside.lock().expect("no panic"), held).expect("no panic"));
    }

    fn let_through(self: &Arc<Self>, coming: TcpStream) -> io::Result<()> {
        coming.set_nodelay(true)?;
        let mut inside = self.inside.lock().expect("no panic");
        let inside = inside.as_mut().expect("set at the start");
        let (near, far) = (End::Tcp(coming), inside.behind.reach()?);
        for (way, from, to) in [(Way::There, near.twin()?, far.twin()?), (Way::Back, far.twin()?, near.twin()?)] {
            let at = Arc::clone(self);
            thread::spawn(move || at.carry(way, from, to));
        }
        inside.ends.extend([near, far]);
        Ok(())
    }

    /// Carries one direction to its end, and cuts both.
    fn carry(&self, way: Way, mut from: End, mut to: End) {
        let mut load = [0; 16 * 1024];
        while let Ok(bytes @ 1..) = from.read(&mut load) {
            self.wait_until_not_held(way);
            if to.write_all(&load[..bytes]).is_err() {
                break;
            }
        }
        self.wait_until_not_held(way);
        from.cut();
        to.cut();
    }
}

impl Behind {
    fn reach(&self) -> io::Result<End> {
        match self {
            Self::Socket(path) => UnixStream::connect(path).map(End::Unix),
            Self::Port(port) => {
                let far = TcpStream::connect(("127.0.0.1", *port))?;
                far.set_nodelay(true)?;
                Ok(End::Tcp(far))
            }
        }
    }
}

impl End {
    fn twin(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(end) => end.try_clone().map(Self::Tcp),
            Self::Unix(end) => end.try_clone().map(Self::Unix),
        }
    }

    fn cut(&self) {
        // One that is cut already is as good.
        let _cut = match self {
            Self::Tcp(end) => end.shutdown(Shutdown::Both),
            Self::Unix(end) => end.shutdown(Shutdown::Both),
        };
    }

    fn read(&mut self, load: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(end) => end.read(load),
            Self::Unix(end) => end.read(load),
        }
    }

    fn write_all(&mut self, load: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(end) => end.write_all(load),
            Self::Unix(end) => end.write_all(load),
        }
    }
}
