//! Owns where a link leads: an address of loopback or a local socket, and how URLs of the part behind read through the link.

use std::{
    fmt, io,
    net::{SocketAddr, ToSocketAddrs as _},
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use tokio::net::{TcpStream, UnixStream};

/// The part behind a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// It listens on TCP.
    Tcp(SocketAddr),
    /// It listens on a local socket, as a private Postgres does.
    Unix(PathBuf),
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A connection to the part behind.
pub(super) enum Behind {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Upstream {
    /// Where the part is that this URL names.
    ///
    /// # Errors
    /// When it names none.
    pub fn of_url(url: &str) -> Result<Self> {
        let url = Url::parse(url)?;
        let Some(folder) = url.option("host") else {
            let mut found = url.authority().to_socket_addrs().with_context(|| format!("no address: {}", url.whole))?;
            return found.next().map(Self::Tcp).with_context(|| format!("no address: {}", url.whole));
        };
        let port = url.option("port").unwrap_or_else(|| "5432".to_owned());
        Ok(Self::Unix(PathBuf::from(folder).join(format!(".s.PGSQL.{port}"))))
    }

    pub(super) async fn dial(&self) -> io::Result<Behind> {
        match self {
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Behind::Tcp(stream))
            }
            Self::Unix(path) => UnixStream::connect(path).await.map(Behind::Unix),
        }
    }
}

/// The URL with the link's address in the place of the part's own.
pub(super) fn through(url: &str, link: SocketAddr) -> Result<String> {
    let parsed = Url::parse(url)?;
    if parsed.option("host").is_none() {
        let authority = parsed.authority();
        return Ok(url.replacen(authority, &link.to_string(), 1));
    }
    let user = parsed.option("user").map_or_else(String::new, |user| format!("{user}@"));
    // The part behind has no TLS on its local socket, and would have to be asked first.
    Ok(format!("{}://{user}{link}/{}?sslmode=disable", parsed.scheme, parsed.database()))
}

/// What we need of a URL's parts.
struct Url<'a> {
    whole: &'a str,
    scheme: &'a str,
    rest: &'a str,
    query: &'a str,
}

impl<'a> Url<'a> {
    fn parse(whole: &'a str) -> Result<Self> {
        let (scheme, rest) = whole.split_once("://").with_context(|| format!("not a URL: {whole}"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        Ok(Self { whole, scheme, rest, query })
    }

    /// `host:port`.
    fn authority(&self) -> &'a str {
        let host = self.rest.split('/').next().unwrap_or_default();
        host.rsplit('@').next().unwrap_or_default()
    }

    fn database(&self) -> &'a str {
        self.rest.split_once('/').map_or("", |(_, path)| path)
    }

    /// An option of the query, decoded.
    fn option(&self, name: &str) -> Option<String> {
        let mut options = self.query.split('&').filter_map(|option| option.split_once('='));
        options.find(|(key, _)| *key == name).map(|(_, value)| decoded(value))
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        (bytes, rest) = match (first, hex) {
            (b'%', Some(byte)) => ([bytes, vec![byte]].concat(), &tail[2..]),
            (other, _) => ([bytes, vec![*other]].concat(), tail),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_all_parts_are_understood() {
        let port: SocketAddr = "127.0.0.1:7".parse().unwrap();
        assert_eq!(Upstream::of_url("redis://127.0.0.1:7").unwrap(), Upstream::Tcp(port));
        assert_eq!(Upstream::of_url("http://127.0.0.1:7/x").unwrap(), Upstream::Tcp(port));
        assert_eq!(Upstream::of_url("postgres://u:p@127.0.0.1:7/db").unwrap(), Upstream::Tcp(port));
        let socket = "postgres:///db?host=/a%20b/c&port=5432&user=postgres";
        assert_eq!(Upstream::of_url(socket).unwrap(), Upstream::Unix("/a b/c/.s.PGSQL.5432".into()));
        assert!(Upstream::of_url("nowhere").is_err());
    }

    #[test]
    fn urls_read_through_the_link_name_the_link_and_the_same_database() {
        let link: SocketAddr = "127.0.0.1:99".parse().unwrap();
        assert_eq!(through("redis://127.0.0.1:7", link).unwrap(), "redis://127.0.0.1:99");
        assert_eq!(through("postgres://u:p@127.0.0.1:7/db", link).unwrap(), "postgres://u:p@127.0.0.1:99/db");
        assert_eq!(
            through("postgres:///db?host=/a/b&port=5432&user=postgres", link).unwrap(),
            "postgres://postgres@127.0.0.1:99/db?sslmode=disable"
        );
    }
}
