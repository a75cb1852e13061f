//! The accounts a run plays with: signed up once, kept in a file between runs, tokens made fresh.
//! Must never log a password or a token; the file is readable by its owner alone.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use tidings_protocol::error::Refusal;
use tidings_protocol::ids::UserId;
use tidings_protocol::rest::{Login, RefreshToken, RestError, SignUp, Tokens};
use uuid::Uuid;

/// As many as the server's default password queue and hashers take without refusing.
const AT_ONCE: usize = 16;
/// A run must not meet the end of its tokens.
const TOKEN_MARGIN: Duration = Duration::from_secs(1800);
/// Tries of one request that the server puts off.
const TRIES: u32 = 600;

/// One account.
#[derive(Clone, Serialize, Deserialize)]
pub struct Person {
    /// Unique name.
    pub handle: String,
    /// Made up.
    pub password: String,
    /// The newest tokens.
    pub tokens: Tokens,
    /// Whom they may be following, from this and earlier runs.
    #[serde(default)]
    pub follows: Vec<UserId>,
}

impl Person {
    /// Who.
    #[must_use]
    pub fn id(&self) -> UserId {
        self.tokens.user.id
    }
}

/// Gets `wanted` people with tokens that last: from the file first, then by signing up.
///
/// # Errors
/// The server refuses, or the file cannot be read or written.
pub async fn gather(url: &str, wanted: usize, file: Option<&Path>) -> Result<Vec<Person>> {
    let door = Door::at(url)?;
    let mut known = match file {
        Some(path) if path.exists() => load(path)?,
        _ => Vec::new(),
    };
    let spare = known.split_off(wanted.min(known.len()));
    let bar = bar(wanted as u64, "accounts");
    let batch = uuid::Uuid::new_v4().simple().to_string();
    let jobs = (0..wanted).map(|number| {
        let (door, bar) = (&door, &bar);
        let old = known.get(number).cloned();
        let handle = format!("l{}_{number}", &batch[..10]);
        async move {
            let person = match old {
                Some(person) => door.renew(person).await?,
                None => door.sign_up(handle, bar).await?,
            };
            bar.inc(1);
            Ok::<_, anyhow::Error>(person)
        }
    });
    let people: Vec<Person> = stream::iter(jobs).buffered(AT_ONCE).try_collect().await?;
    bar.finish_and_clear();
    if let Some(path) = file {
        let all: Vec<Person> = people.iter().chain(&spare).cloned().collect();
        save(path, &all)?;
    }
    Ok(people)
}

/// Writes the accounts down, so that the next run need not sign up again.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, people: &[Person]) -> Result<()> {
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    serde_json::to_writer(&mut file, people)?;
    file.flush()?;
    std::fs::rename(&draft, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads what an earlier run wrote down.
///
/// # Errors
/// The file cannot be read or is not one of ours.
pub fn load(path: &Path) -> Result<Vec<Person>> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not a file of accounts", path.display()))
}

/// A progress bar on the terminal; silent elsewhere.
#[must_use]
pub fn bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>12} {bar:40} {pos}/{len} {msg} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style).with_prefix(what)
}

/// The REST part of a server.
pub struct Door {
    client: Client,
    url: String,
}

impl Door {
    /// The door of the server at this URL.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn at(url: &str) -> Result<Self> {
        let client = Client::builder().timeout(Duration::from_secs(60)).build()?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned() })
    }

    async fn sign_up(&self, handle: String, bar: &ProgressBar) -> Result<Person> {
        let password = Uuid::new_v4().simple().to_string();
        let email = format!("{handle}@example.com");
        let body = SignUp { handle: handle.clone(), name: None, email, password: password.clone() };
        for _ in 0..TRIES {
            match self.ask("/api/v1/users", &body).await? {
                Answer::Tokens(tokens) => {
                    return Ok(Person { handle, password, tokens: *tokens, follows: Vec::new() });
                }
                Answer::Later(wait) => {
                    bar.set_message("(the server limits sign-ups: see docs/load-testing.md)");
                    tokio::time::sleep(wait).await;
                }
                Answer::Refused(why) => bail!("sign up refused: {why}"),
            }
        }
        bail!("the server put off a sign-up {TRIES} times");
    }

    /// Keeps good tokens, refreshes old ones, logs in where that fails.
    ///
    /// # Errors
    /// The server cannot be reached (a `reqwest::Error`), or does not know the account.
    pub async fn renew(&self, mut person: Person) -> Result<Person> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)? + TOKEN_MARGIN;
        if u128::from(person.tokens.access_expires_at.0) > now.as_millis() {
            return Ok(person);
        }
        let refresh = RefreshToken { refresh_token: person.tokens.refresh_token.clone() };
        let login = Login { login: person.handle.clone(), password: person.password.clone() };
        for _ in 0..TRIES {
            let answer = match self.ask("/api/v1/auth/refresh", &refresh).await? {
                Answer::Refused(_) => self.ask("/api/v1/auth/login", &login).await?,
                good @ (Answer::Tokens(_) | Answer::Later(_)) => good,
            };
            match answer {
                Answer::Tokens(tokens) => {
                    ensure!(tokens.user.id == person.id(), "{} is somebody else now", person.handle);
                    person.tokens = *tokens;
                    return Ok(person);
                }
                Answer::Later(wait) => tokio::time::sleep(wait).await,
                Answer::Refused(why) => {
                    bail!("log in of a kept account refused: {why} (is the file of accounts of another server?)")
                }
            }
        }
        bail!("the server put off a refresh {TRIES} times");
    }

    /// Asks once for tokens.
    ///
    /// # Errors
    /// The server cannot be reached (a `reqwest::Error`) or speaks another language.
    pub async fn ask(&self, path: &str, body: &impl Serialize) -> Result<Answer> {
        let url = format!("{}{path}", self.url);
        let answer = self.client.post(&url).json(body).send().await.with_context(|| format!("cannot reach {url}"))?;
        let status = answer.status();
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok())
            .and_then(|seconds| seconds.parse().ok())
            .map(Duration::from_secs);
        let bytes = answer.bytes().await?;
        if status.is_success() {
            let tokens = serde_json::from_slice(&bytes)
                .with_context(|| format!("{path} answered {status} in an unknown form"))?;
            return Ok(Answer::Tokens(Box::new(tokens)));
        }
        let refusal = serde_json::from_slice::<RestError>(&bytes).ok().map(|refusal| refusal.error);
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            let told = refusal.and_then(|refusal| refusal.retry_after_ms).map(Duration::from_millis);
            return Ok(Answer::Later(told.or(retry_after).unwrap_or(Duration::from_millis(500))));
        }
        Ok(Answer::Refused(
            refusal.map_or_else(|| status.to_string(), |refusal| format!("{status}: {}", refusal.message)),
        ))
    }
}

impl Door {
    /// Asks once for the end of a log-in.
    ///
    /// # Errors
    /// The server cannot be reached (a `reqwest::Error`) or speaks another language. That it refuses is not one.
    pub async fn log_out(&self, refresh_token: String) -> Result<Result<(), Refusal>> {
        let url = format!("{}/api/v1/auth/logout", self.url);
        let answer = self.client.post(&url).json(&RefreshToken { refresh_token }).send().await?;
        if answer.status().is_success() {
            return Ok(Ok(()));
        }
        let refused: RestError = serde_json::from_slice(&answer.bytes().await?)?;
        Ok(Err(refused.error))
    }
}

/// What the door says.
pub enum Answer {
    /// Come in.
    Tokens(Box<Tokens>),
    /// Ask again after this.
    Later(Duration),
    /// No, in words.
    Refused(String),
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn accounts_survive_in_a_file_that_others_cannot_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.json");
        let user = r#"{"id":"01900000-0000-7000-8000-000000000001","rev":1,"handle":"ann","name":"Ann","bio":"","role":"user","created_at":1}"#;
        let person = format!(
            r#"[{{"handle":"ann","password":"p","tokens":{{"user":{user},"access_token":"a","access_expires_at":1,"refresh_token":"r","refresh_expires_at":2}}}}]"#
        );
        let people: Vec<Person> = serde_json::from_str(&person).unwrap();
        save(&path, &people).unwrap();
        assert_eq!(load(&path).unwrap()[0].handle, "ann");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
