//! Every setting of a node, in one table: its name, type, default, meaning. The only reader of the environment.
//! Owns: where settings come from (file < environment < command line) and the refusal of wrong ones. Must never print a secret.
//!
//! `docs/configuration.md` and `tidings --help` are made from the same table.

mod command_line;
mod document;
mod setting;
mod sources;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use tidings_media::TICKET_MOST_MS;

pub use document::document;
pub use setting::LogFormat;
pub use sources::ConfigFault;

use setting::Setting;
use sources::Layers;

/// Two threads let 10,000 in within 10 s and are left half of their time for those who are there.
const CONNECTS_PER_WORKER: u32 = 600;

/// One setting, for `--help` and the documents.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As in the file; `TIDINGS_` and the name in capitals is its variable.
    pub name: &'static str,
    /// As one would write it; empty where there is none.
    pub default: &'static str,
    /// What it means, with its unit.
    pub meaning: &'static str,
    /// Never a flag, since command lines are public on a machine, and never shown.
    pub secret: bool,
    /// What the flag means when nothing follows it.
    pub bare: Option<&'static str>,
}

macro_rules! settings {
    ($( $(#[doc = $line:literal])+ $name:ident: $kind:ty = $default:literal, )+) => {
        /// The settings of one node.
        #[derive(Clone, Debug)]
        pub struct Config {
            $( $(#[doc = $line])+ pub $name: $kind, )+
        }

        /// All settings, in the order of the documents.
        pub const KEYS: &[Key] = &[ $( Key {
            name: stringify!($name),
            default: $default,
            meaning: concat!($($line),+),
            secret: <$kind as Setting>::SECRET,
            bare: <$kind as Setting>::BARE,
        }, )+ ];

        impl Default for Config {
            fn default() -> Self {
                Self { $( $name: <$kind as Setting>::parse($default).expect("defaults are tested"), )+ }
            }
        }

        impl Config {
            fn of(layers: &Layers) -> Result<Self, ConfigFault> {
                layers.refuse_unknown(KEYS)?;
                Ok(Self { $( $name: layers.setting(stringify!($name), $default)?, )+ })
            }
        }
    };
}

settings! {
    /// Address and port to listen on. Port 0 takes a free one.
    listen: SocketAddr = "127.0.0.1:8080",
    /// URL of the Postgres database. Without one, Tidings runs a private Postgres in `data_dir`. Also read from `DATABASE_URL`.
    database_url: Option<SecretString> = "",
    /// URL of the Redis that carries rumours between nodes. Without one, this is the only node. Also read from `REDIS_URL`.
    redis_url: Option<SecretString> = "",
    /// Folder of the private Postgres, of the pictures and of the secret that is made at the first start. Default: `/var/lib/tidings` for root,
    /// otherwise `tidings` in the user's data folder.
    data_dir: Option<PathBuf> = "",
    /// Where pictures are kept: a folder, or a bucket of an object store as `s3://bucket/prefix`. Several nodes need one that all of them
    /// share. Default: `media` in `data_dir`.
    media_store: Option<String> = "",
    /// The object store's address, such as `https://minio.example.org:9000`. Default: Amazon's of the region.
    media_s3_endpoint: Option<String> = "",
    /// The object store's region.
    media_s3_region: String = "us-east-1",
    /// Name of the key that may write to the bucket. Without one, what the machine is given by its surroundings (Amazon's instance roles).
    media_s3_key_id: Option<String> = "",
    /// The key.
    media_s3_key: Option<SecretString> = "",
    /// At least 32 characters that nobody can guess, the same on every node of a database: what passwords are peppered and signing
    /// keys are sealed with. Default: made at the first start and kept in `data_dir`. Lost, all passwords are lost.
    secret: Option<SecretString> = "",
    /// File to write the real address to once the node listens (for port 0).
    address_file: Option<PathBuf> = "",
    /// Origins of pages elsewhere that may use this node, such as `https://example.org`, parted by commas. Pages of the same host are
    /// always allowed, and so are programs that send no `Origin`.
    allowed_origins: Vec<String> = "",
    /// Addresses or networks of the proxies in front, parted by commas: `X-Forwarded-For` is believed from these alone.
    trusted_proxies: Vec<IpNet> = "",
    /// Threads that serve connections; 0 is one for each core.
    workers: usize = "0",
    /// Connections of one client address at the same time (IPv6: of one /64 network).
    connections_per_ip: usize = "1000",
    /// WebSockets that are let in a second; more wait in line, and who would wait longer than 10 s is told to come back (503). What
    /// a storm of clients coming back costs is not the sockets but their greetings. 0 is 600 for each worker thread.
    connects_per_second: u32 = "0",
    /// Time from the upgrade of a connection to its `hello`, in milliseconds.
    hello_timeout_ms: u64 = "10000",
    /// Ping and heartbeat interval, in milliseconds; a peer that is not heard for 2.4 times as long is given up.
    heartbeat_ms: u64 = "25000",
    /// How long a reader may leave its socket full before its connection is ended (`slow`), in milliseconds.
    slow_ms: u64 = "30000",
    /// What all connections of the node that read too slowly may have waiting in memory together, in MiB. Beyond it those with the longest
    /// queues fall behind and catch up when they have read.
    outbox_mib: u32 = "512",
    /// Time to tell connections goodbye when the node is stopped, in milliseconds.
    drain_ms: u64 = "10000",
    /// What one user may spend on requests a minute (read 1, follow 2, edit 2, create 3).
    points_per_minute: u32 = "600",
    /// New posts a second that each reader of `global` is told; while more come, all readers are told one in two, four, eight … of them,
    /// and that it is so. 0: all, however many.
    global_rate: u32 = "100",
    /// How long an access token is good.
    access_token_ttl: Duration = "24h",
    /// How long a refresh token is good.
    refresh_token_ttl: Duration = "7d",
    /// Age at which the key that signs access tokens is replaced.
    signing_key_period: Duration = "30d",
    /// Work factor of bcrypt; each step doubles the work. 10 to 15; less only for tests, with a warning in the log.
    bcrypt_cost: u32 = "12",
    /// Threads that hash passwords.
    password_hashers: usize = "2",
    /// Passwords that may wait for a hasher; more log-ins are refused with `overloaded`.
    password_queue: usize = "32",
    /// Connections of programs that may watch the firehose of this node at the same time; 0: it has none.
    firehose_connections: usize = "16",
    /// How long a ticket to send a picture is good.
    picture_ticket_ttl: Duration = "5m",
    /// Threads that make pictures of what people send. One takes some 350 MB for the largest.
    picture_painters: usize = "1",
    /// Pictures that may wait for a painter; more uploads are refused with `overloaded`.
    picture_queue: usize = "16",
    /// Sign-ups of one client address a minute.
    signups_per_minute_per_ip: u32 = "10",
    /// Log-ins of one client address a minute.
    logins_per_minute_per_ip: u32 = "20",
    /// Log-in attempts on one account a minute. More than one address may make, so that nobody locks another out from one address.
    logins_per_minute_per_account: u32 = "30",
    /// Sign-ups and log-ins of all clients together a minute.
    logins_per_minute: u32 = "600",
    /// Refreshes and log-outs of one client address a minute.
    refreshes_per_minute_per_ip: u32 = "120",
    /// Days for which the journal and the marks of deleted things are kept: whoever was away longer gets a snapshot.
    journal_keep_days: u32 = "7",
    /// Days for which nobody may take the handle of a deleted account.
    handle_rest_days: u32 = "30",
    /// For conformance tests of the transport alone, never in service: every WebSocket message is sent back instead of being answered.
    websocket_echo: bool = "false",
    /// What to log, as `level` or `target=level,…`.
    log: String = "info,actix_server=warn",
    /// `json` or `text`. Default: text on a terminal, json otherwise.
    log_format: Option<LogFormat> = "",
}

impl Config {
    /// Reads the command line, the environment and the file they name.
    ///
    /// # Errors
    /// The first wrong setting, with its source; or what `--help` prints.
    pub fn load() -> Result<Self, ConfigFault> {
        Self::load_with(std::env::args_os())
    }

    /// The same with another command line, program name first.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with(args: impl IntoIterator<Item = OsString>) -> Result<Self, ConfigFault> {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_sources(args, environment)
    }

    /// The same, from any command line (program name first) and environment.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_sources(
        args: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFault> {
        let layers = Layers::gather(args, environment)?;
        let config = Self::of(&layers)?;
        config.check(&layers)?;
        Ok(config)
    }

    /// The data folder, given or default.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(tidings_private_postgres::default_folder)
    }

    /// Threads that serve connections.
    #[must_use]
    pub fn worker_threads(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            given => given,
        }
    }

    /// WebSockets that one worker thread lets in a second.
    #[must_use]
    pub fn connects_per_worker(&self) -> u32 {
        match self.connects_per_second {
            0 => CONNECTS_PER_WORKER,
            given => given.div_ceil(u32::try_from(self.worker_threads()).unwrap_or(u32::MAX)),
        }
    }

    /// What the outboxes of one worker thread may hold together.
    #[must_use]
    pub fn outbox_bytes_of_worker(&self) -> usize {
        const MIB: usize = 1024 * 1024;
        usize::try_from(self.outbox_mib).unwrap_or(usize::MAX).saturating_mul(MIB) / self.worker_threads().max(1)
    }

    /// What a type cannot say.
    fn check(&self, layers: &Layers) -> Result<(), ConfigFault> {
        let secret_chars = self.secret.as_ref().map_or(usize::MAX, |secret| secret.expose_secret().len());
        let long = |duration: Duration, least| duration >= Duration::from_secs(least);
        let rules = [
            ("secret", secret_chars >= 32, "at least 32 characters"),
            ("workers", self.workers <= 512, "at most 512"),
            ("connections_per_ip", self.connections_per_ip > 0, "at least 1"),
            ("points_per_minute", self.points_per_minute > 0, "at least 1"),
            ("hello_timeout_ms", self.hello_timeout_ms > 0, "at least 1"),
            ("heartbeat_ms", (100..=25_000).contains(&self.heartbeat_ms), "100 to 25000"),
            ("slow_ms", (100..=600_000).contains(&self.slow_ms), "100 to 600000"),
            ("outbox_mib", self.outbox_mib > 0, "at least 1"),
            ("bcrypt_cost", (4..=15).contains(&self.bcrypt_cost), "10 to 15 (for tests: 4 to 15)"),
            ("password_hashers", (1..=64).contains(&self.password_hashers), "1 to 64"),
            ("password_queue", (1..=1024).contains(&self.password_queue), "1 to 1024"),
            ("picture_ticket_ttl", (1..=TICKET_MOST_MS).contains(&millis(self.picture_ticket_ttl)), "at most 15m"),
            ("picture_painters", (1..=64).contains(&self.picture_painters), "1 to 64"),
            ("picture_queue", (1..=1024).contains(&self.picture_queue), "1 to 1024"),
            ("access_token_ttl", long(self.access_token_ttl, 1), "at least 1s"),
            ("refresh_token_ttl", long(self.refresh_token_ttl, 1), "at least 1s"),
            ("signing_key_period", long(self.signing_key_period, 3600), "at least 1h"),
            ("signups_per_minute_per_ip", self.signups_per_minute_per_ip > 0, "at least 1"),
            ("logins_per_minute_per_ip", self.logins_per_minute_per_ip > 0, "at least 1"),
            ("logins_per_minute_per_account", self.logins_per_minute_per_account > 0, "at least 1"),
            ("logins_per_minute", self.logins_per_minute > 0, "at least 1"),
            ("refreshes_per_minute_per_ip", self.refreshes_per_minute_per_ip > 0, "at least 1"),
            ("handle_rest_days", self.handle_rest_days <= 3650, "at most 3650"),
            ("journal_keep_days", (1..=3650).contains(&self.journal_keep_days), "1 to 3650"),
        ];
        match rules.into_iter().find(|(_, good, _)| !good) {
            None => Ok(()),
            Some((name, _, wanted)) => Err(layers.wrong(name, format!("must be {wanted}"))),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(args: &[&str], environment: &[(&str, &str)]) -> Result<Config, ConfigFault> {
        let args = std::iter::once("tidings").chain(args.iter().copied());
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_sources(args.map(OsString::from), environment)
    }

    fn refusal(args: &[&str], environment: &[(&str, &str)]) -> String {
        load(args, environment).unwrap_err().to_string()
    }

    #[test]
    fn defaults_hold_and_pass_their_own_rules() {
        let config = load(&[], &[]).unwrap();
        assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(config.access_token_ttl, Duration::from_secs(24 * 3600));
        assert_eq!(config.refresh_token_ttl, Duration::from_secs(7 * 24 * 3600));
        assert_eq!(config.bcrypt_cost, 12);
        assert!(config.database_url.is_none());
    }

    #[test]
    fn command_line_wins_over_environment_wins_over_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            &file,
            "workers = 1\ndrain_ms = 1\npoints_per_minute = 1\nallowed_origins = [\"https://a.example\", \"https://b.example\"]\n",
        )
        .unwrap();
        let path = file.path().to_str().unwrap();
        let environment = [("TIDINGS_DRAIN_MS", "2"), ("TIDINGS_WORKERS", "2"), ("TIDINGS_CONFIG", path)];
        let config = load(&["--workers", "3"], &environment).unwrap();
        assert_eq!((config.workers, config.drain_ms, config.points_per_minute), (3, 2, 1));
        assert_eq!(config.allowed_origins, ["https://a.example", "https://b.example"]);
    }

    #[test]
    fn plain_database_url_counts_and_the_prefixed_one_wins() {
        let plain = ("DATABASE_URL", "postgres://plain");
        let url = |config: Config| config.database_url.unwrap().expose_secret().to_owned();
        assert_eq!(url(load(&[], &[plain]).unwrap()), "postgres://plain");
        let both = [plain, ("TIDINGS_DATABASE_URL", "postgres://own")];
        assert_eq!(url(load(&[], &both).unwrap()), "postgres://own");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_name_and_source() {
        let said = refusal(&[], &[("TIDINGS_WROKERS", "2")]);
        assert!(said.contains("TIDINGS_WROKERS") && said.contains("environment"), "{said}");
        assert!(said.contains("workers"), "suggests the right one: {said}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "[server]\nport = 1\n").unwrap();
        let said = refusal(&["--config", file.path().to_str().unwrap()], &[]);
        assert!(said.contains("`server`") && said.contains(file.path().to_str().unwrap()), "{said}");
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_name_and_source() {
        let said = refusal(&[], &[("TIDINGS_WORKERS", "many")]);
        assert!(said.contains("TIDINGS_WORKERS") && said.contains("many"), "{said}");
        let said = refusal(&["--bcrypt-cost", "3"], &[]);
        assert!(said.contains("--bcrypt-cost") && said.contains("10 to 15"), "{said}");
        let said = refusal(&["--access-token-ttl", "5 parsecs"], &[]);
        assert!(said.contains("24h"), "shows a good one: {said}");
    }

    #[test]
    fn a_wrong_secret_is_not_repeated() {
        let said = refusal(&[], &[("TIDINGS_SECRET", "hunter2")]);
        assert!(said.contains("TIDINGS_SECRET") && !said.contains("hunter2"), "{said}");
        let config = load(&[], &[("DATABASE_URL", "postgres://u:hunter2@h/d")]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_switch_needs_no_value() {
        assert!(!load(&[], &[]).unwrap().websocket_echo);
        assert!(load(&["--websocket-echo"], &[]).unwrap().websocket_echo);
        assert!(load(&["--websocket-echo", "--workers", "2"], &[]).unwrap().websocket_echo);
        assert!(!load(&["--websocket-echo=false"], &[("TIDINGS_WEBSOCKET_ECHO", "true")]).unwrap().websocket_echo);
        assert!(refusal(&[], &[("TIDINGS_WEBSOCKET_ECHO", "maybe")]).contains("TIDINGS_WEBSOCKET_ECHO"));
    }

    #[test]
    fn secrets_have_no_flag() {
        assert!(load(&["--secret", "x"], &[]).is_err());
        assert!(load(&["--database-url", "x"], &[]).is_err());
    }

    #[test]
    fn variables_that_orchestrators_and_tests_set_are_left_alone() {
        let foreign = [
            ("TIDINGS_PORT", "tcp://10.0.0.1:80"),
            ("TIDINGS_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("TIDINGS_SERVICE_HOST", "10.0.0.1"),
            ("TIDINGS_TEST_POSTGRES", "postgres:///x"),
        ];
        assert!(load(&[], &foreign).is_ok());
    }

    #[test]
    fn a_missing_file_is_named() {
        let said = refusal(&["--config", "/nowhere/tidings.toml"], &[]);
        assert!(said.contains("/nowhere/tidings.toml"), "{said}");
    }

    #[test]
    fn help_shows_every_key() {
        let said = refusal(&["--help"], &[]);
        for key in KEYS {
            let shown = format!("TIDINGS_{}", key.name.to_uppercase());
            assert!(said.contains(&shown), "{shown} is not in --help");
        }
    }
}
