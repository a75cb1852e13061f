//! A running private cluster and its life: start, stop, crash, start again.
//!
//! Owns the server as a child and the lock of its folder. Never leaves a server running behind a `Cluster` that was
//! dropped, and never starts a second one beside a stray.

use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    Binaries, Fault, Leash, Rope,
    account::Account,
    address,
    binaries::{all_binaries, find_binaries},
    birth, command,
    places::{PORT, Places, SocketFolder},
    server::{POLL, Server, is_ready},
    stray,
};

/// After a crash the server first replays its log; that may take its time on a slow disk.
const START_LIMIT: Duration = Duration::from_secs(120);
/// A fast stop writes a checkpoint.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// How often a dying server's children may stand in the way of the next one.
const RETRIES: u32 = 20;

/// Settings every cluster gets; later ones win.
const SETTINGS: [(&str, &str); 12] = [
    // The socket is the only way in.
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("max_connections", "100"),
    ("shared_buffers", "256MB"),
    ("synchronous_commit", "on"),
    // Compiling a query takes longer than any query we have.
    ("jit", "off"),
    ("timezone", "UTC"),
    ("logging_collector", "off"),
    // Nothing people wrote may reach the log (P9): no statements, no parameters, and no DETAIL, which quotes rows.
    ("log_min_error_statement", "panic"),
    ("log_parameter_max_length", "0"),
    ("log_parameter_max_length_on_error", "0"),
    ("log_error_verbosity", "terse"),
];

/// How a cluster is run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Trade safety against power loss for speed (`fsync = off`). For tests only.
    pub unsafe_but_fast: bool,
    /// Ends the server, and removes the cluster's folder, when this process dies. For tests and tasks.
    pub leashed: bool,
    /// More settings of `postgresql.conf`, which win over ours.
    pub settings: Vec<(String, String)>,
}

/// Ways to end the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// Ends connections, writes a checkpoint, stops.
    Fast,
    /// Stops at once; the next start recovers, as after a crash.
    Immediate,
    /// `kill -9` to the server and all its children.
    Kill,
}

/// A private Postgres cluster, running as long as this value lives.
#[derive(Debug)]
pub struct Cluster {
    // Order matters: the server ends before its socket's folder goes, and the lock goes last.
    server: Option<Server>,
    socket: SocketFolder,
    account: Option<Account>,
    binaries: Binaries,
    options: Options,
    places: Places,
}

impl Cluster {
    /// Takes over `folder`, makes a cluster in it unless there is one, ends what a dead owner left running, and
    /// starts the server. Blocks until it takes connections: about a second the first time, 0.1 s later.
    ///
    /// # Errors
    /// Everything in [`Fault`]; notably [`Fault::NoBinaries`] and [`Fault::InUse`].
    pub fn start(folder: &Path, options: Options) -> Result<Self, Fault> {
        let account = Account::choose()?;
        // Before anything is made: a machine without Postgres stays as it was.
        find_binaries()?;
        let places = Places::take(folder, account.as_ref())?;
        let binaries = matching(&places)?;
        birth::ensure(&places, &binaries, account.as_ref(), !options.unsafe_but_fast)?;
        let socket = SocketFolder::make(&places.folder, account.as_ref())?;
        let mut cluster = Self { server: None, socket, account, binaries, options, places };
        cluster.start_again()?;
        Ok(cluster)
    }

    /// A URL of a database that sqlx and libpq both understand.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        address::url(self.socket.path(), database)
    }

    /// The folder of the server's programs, such as `psql` and `pgbench`.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The server's log.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.places.log
    }

    /// The cluster's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.places.folder
    }

    /// Makes a database unless it is there; true if it was made.
    ///
    /// # Errors
    /// When the name is unusable or the server away.
    pub fn ensure_database(&self, name: &str) -> Result<bool, Fault> {
        let usable = (1..=63).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !usable {
            return Err(Fault::DatabaseName(name.to_owned()));
        }
        let there = self.psql("postgres", &format!("select 1 from pg_database where datname = '{name}'"))?;
        if there.trim() == "1" {
            return Ok(false);
        }
        self.psql("postgres", &format!("create database \"{name}\"")).map(|_| true)
    }

    /// Runs SQL by `psql` and gives back its bare rows, columns parted by `|`.
    ///
    /// # Errors
    /// [`Fault::Program`] with what `psql` said.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String, Fault> {
        let mut psql = command::program(&self.binaries, "psql", &self.places.folder, None);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-c", sql]);
        command::run(psql)
    }

    /// Copies the running cluster's files into `folder`, which [`Cluster::start`] then takes for a cluster: one that follows this
    /// one until it is promoted if `standby`, else one that goes on from here by itself, as a backup that is restored. For fault tests.
    ///
    /// # Errors
    /// As [`Cluster::start`]; also where `folder` holds a cluster already.
    pub fn copy_to(&self, folder: &Path, standby: bool) -> Result<(), Fault> {
        let places = Places::take(folder, self.account.as_ref())?;
        birth::copy(&places, &self.binaries, self.account.as_ref(), self.socket.path(), standby)
    }

    /// Whether the server is there.
    pub fn is_running(&mut self) -> bool {
        self.server.as_mut().is_some_and(Server::is_running)
    }

    /// Ends the server and gives the folder back.
    ///
    /// # Errors
    /// [`Fault::TooSlow`] when it had to be killed.
    pub fn stop(mut self) -> Result<(), Fault> {
        self.halt(Halt::Fast)
    }

    /// Ends the server but keeps the folder, for [`Cluster::start_again`].
    ///
    /// # Errors
    /// [`Fault::TooSlow`] when it had to be killed.
    pub fn halt(&mut self, how: Halt) -> Result<(), Fault> {
        let Some(mut server) = self.server.take() else {
            return Ok(());
        };
        let (signal, rest) = match how {
            Halt::Fast => (Signal::SIGINT, Some(Signal::SIGQUIT)),
            Halt::Immediate => (Signal::SIGQUIT, None),
            Halt::Kill => (Signal::SIGKILL, None),
        };
        if how == Halt::Kill {
            stray::signal_all(&self.places.tag()?, Signal::SIGKILL);
        }
        let mut in_time = server.ends_by(signal, STOP_LIMIT);
        for signal in rest.into_iter().chain([Signal::SIGKILL]) {
            if in_time {
                return Ok(());
            }
            in_time = server.ends_by(signal, STOP_LIMIT / 4) && signal != Signal::SIGKILL;
        }
        Err(self.too_slow("stop", STOP_LIMIT))
    }

    /// Stops the server and all its children where they are (`SIGSTOP`), as a machine that hangs. For fault tests.
    ///
    /// # Errors
    /// When the cluster's files are gone.
    pub fn pause(&self) -> Result<(), Fault> {
        stray::signal_all(&self.places.tag()?, Signal::SIGSTOP);
        Ok(())
    }

    /// Undoes [`Cluster::pause`].
    ///
    /// # Errors
    /// When the cluster's files are gone.
    pub fn resume(&self) -> Result<(), Fault> {
        stray::signal_all(&self.places.tag()?, Signal::SIGCONT);
        Ok(())
    }

    /// Starts the server after a [`Cluster::halt`], or after it ended by itself. Nothing happens if it is running.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_again(&mut self) -> Result<(), Fault> {
        if self.is_running() {
            return Ok(());
        }
        self.server = None;
        let tag = self.places.tag()?;
        let mut tries = 0;
        loop {
            if !stray::end(&tag) {
                return Err(self.too_slow("stop (left over from an earlier run)", STOP_LIMIT));
            }
            tries += 1;
            match self.boot(&tag) {
                // Children of a killed server that we could not see are about to go.
                Err(Fault::Ended { said, .. }) if tries < RETRIES && said.contains("shared memory block") => {
                    thread::sleep(POLL * 20);
                }
                outcome => return outcome,
            }
        }
    }

    /// One attempt to start the server.
    fn boot(&mut self, tag: &str) -> Result<(), Fault> {
        let (log, length) = self.places.open_log()?;
        let errors = log.try_clone().map_err(Fault::file(&self.places.log))?;
        let mut postgres = self.server_command(tag);
        postgres.stdin(Stdio::null()).stdout(log).stderr(errors);
        // A Ctrl-C in the terminal is for the owner, who ends the server when it has finished with it.
        postgres.process_group(0);
        let child = postgres
            .spawn()
            .map_err(|cause| Fault::Program { program: "postgres".to_owned(), said: cause.to_string() })?;
        let leash = self.leash(child.id())?;
        let mut server = Server { child, _leash: leash };
        let deadline = Instant::now() + START_LIMIT;
        while !is_ready(&self.places.pgdata, server.child.id()) {
            if !server.is_running() {
                return Err(Fault::Ended { log: self.places.log.clone(), said: self.places.log_since(length) });
            }
            if Instant::now() > deadline {
                server.ends_by(Signal::SIGKILL, STOP_LIMIT);
                return Err(self.too_slow("start", START_LIMIT));
            }
            thread::sleep(POLL);
        }
        self.server = Some(server);
        Ok(())
    }

    fn server_command(&self, tag: &str) -> Command {
        let mut postgres = command::program(&self.binaries, "postgres", &self.places.folder, self.account.as_ref());
        postgres.arg("-D").arg(&self.places.pgdata);
        let mut set = |name: &str, value: &str| {
            postgres.arg("-c").arg(format!("{name}={value}"));
        };
        set("cluster_name", tag);
        set("port", &PORT.to_string());
        set("unix_socket_directories", &address::quoted(self.socket.path()));
        for (name, value) in SETTINGS {
            set(name, value);
        }
        if self.options.unsafe_but_fast {
            set("fsync", "off");
            set("full_page_writes", "off");
        }
        for (name, value) in &self.options.settings {
            set(name, value);
        }
        postgres
    }

    fn leash(&self, pid: u32) -> Result<Option<Leash>, Fault> {
        if !self.options.leashed {
            return Ok(None);
        }
        let rope = Rope { pid, signal: "QUIT", folder: Some(&self.places.folder) };
        Leash::tie(rope).map(Some).map_err(Fault::file("/bin/sh"))
    }

    fn too_slow(&self, what: &'static str, limit: Duration) -> Fault {
        Fault::TooSlow { what, seconds: limit.as_secs(), log: self.places.log.clone() }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Nobody is left to hear of it; the next start ends whatever would not go.
        let _outcome = self.halt(Halt::Fast);
    }
}

/// The newest binaries that can read the cluster's files.
fn matching(places: &Places) -> Result<Binaries, Fault> {
    let all = all_binaries();
    let Some(made_by) = birth::made_by(&places.pgdata) else {
        return all.into_iter().next().ok_or(Fault::NoBinaries);
    };
    let majors: Vec<String> = all.iter().map(|binaries| binaries.major.to_string()).collect();
    all.into_iter().find(|binaries| binaries.major.to_string() == made_by).ok_or_else(|| Fault::OtherVersion {
        folder: places.folder.clone(),
        made_by,
        found: majors.join(", "),
    })
}
