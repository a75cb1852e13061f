//! The log-ins of the people: numbered, shared by the clients of a person, renewed, ended and begun anew over REST.
//! Must never give out a token of a log-in whose log-out was answered.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tidings_protocol::error::ErrorCode;
use tidings_protocol::rest::{Login as Credentials, RefreshToken, Tokens};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::stage::Stage;
use crate::examine::history::{Op, What};
use crate::people::{Answer, Door, Person};

/// A node that does not answer REST by then is taken for dead; the next one is asked.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries of a log-out.
const PAUSE: Duration = Duration::from_millis(300);
/// A token that ends sooner is renewed first.
const MARGIN: Duration = Duration::from_secs(2);

/// All log-ins of all people.
pub struct Logins {
    doors: Vec<Door>,
    accounts: Vec<Account>,
    last: Cell<u64>,
    turn: Cell<usize>,
}

struct Account {
    person: Person,
    /// One asks for a person at a time: two that renew the same token would be taken for a thief.
    live: Mutex<Vec<Login>>,
}

struct Login {
    number: u64,
    tokens: Tokens,
}

/// What lets a client in.
#[derive(Clone)]
pub struct Pass {
    /// The log-in.
    pub login: u64,
    /// Access token.
    pub token: String,
}

/// What a client thinks of the log-in that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nothing is wrong with it.
    Good,
    /// Its token was refused or is running out.
    Stale,
    /// It was ended.
    Dead,
}

impl Logins {
    /// With the tokens that these people have.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn of(people: &[Person], urls: &[String]) -> Result<Self> {
        let account = |(number, person): (u64, &Person)| Account {
            person: person.clone(),
            live: Mutex::new(vec![Login { number, tokens: person.tokens.clone() }]),
        };
        Ok(Self {
            doors: urls.iter().map(|url| Door::at(url)).collect::<Result<_>>()?,
            accounts: (0..).zip(people).map(account).collect(),
            last: Cell::new(people.len() as u64),
            turn: Cell::new(0),
        })
    }

    /// A good token of a person: of the log-in that is held, if it is good; of another, or of a new one.
    ///
    /// # Errors
    /// No node answers, or it puts us off; try again.
    pub async fn pass(&self, person: usize, held: Option<u64>, trust: Trust, apart: bool) -> Result<Pass> {
        let account = &self.accounts[person];
        let mut live = account.live.lock().await;
        if trust == Trust::Dead {
            live.retain(|login| Some(login.number) != held);
        }
        let own = live.iter().position(|login| Some(login.number) == held);
        let any = if apart && live.len() < 3 { None } else { live.len().checked_sub(1) };
        if let Some(place) = own.or(any) {
            let doubted = trust == Trust::Stale && own.is_some();
            if !doubted && lasts(&live[place].tokens) {
                return Ok(live[place].pass());
            }
            let refresh_token = live[place].tokens.refresh_token.clone();
            match self.ask("/api/v1/auth/refresh", &RefreshToken { refresh_token }).await? {
                Ok(tokens) => {
                    live[place].tokens = tokens;
                    return Ok(live[place].pass());
                }
                Err(_) => drop(live.remove(place)),
            }
        }
        let credentials =
            Credentials { login: account.person.handle.clone(), password: account.person.password.clone() };
        let tokens = match self.ask("/api/v1/auth/login", &credentials).await? {
            Ok(tokens) => tokens,
            Err(why) => bail!("log-in of {} refused: {why}", account.person.handle),
        };
        let login = Login { number: self.last.replace(self.last.get() + 1), tokens };
        let pass = login.pass();
        live.push(login);
        Ok(pass)
    }

    /// Asks a node for tokens; refusals in words.
    async fn ask(&self, path: &str, body: &impl Serialize) -> Result<Result<Tokens, String>> {
        let answer = timeout(PATIENCE, self.door().ask(path, body)).await.context("no answer over REST")?;
        match answer? {
            Answer::Tokens(tokens) => Ok(Ok(*tokens)),
            Answer::Refused(why) => Ok(Err(why)),
            Answer::Later(wait) => {
                sleep(wait.min(PATIENCE)).await;
                bail!("put off over REST");
            }
        }
    }

    /// The nodes in turn.
    fn door(&self) -> &Door {
        self.turn.set(self.turn.get() + 1);
        &self.doors[self.turn.get() % self.doors.len()]
    }

    /// Ends a log-in, asking until somebody says that it is done or never can be.
    pub async fn log_out(&self, stage: &Stage, client: u32, person: usize, number: u64) {
        let found = |live: &[Login]| {
            live.iter().find(|login| login.number == number).map(|login| login.tokens.refresh_token.clone())
        };
        let token = found(&self.accounts[person].live.lock().await);
        let Some(token) = token else { return };
        loop {
            let request = stage.next_request();
            let client = Some(client);
            stage.note(client, What::Invoke { request, connection: None, op: Op::LogOut(number) });
            let answer = timeout(PATIENCE, self.door().log_out(token.clone())).await;
            let unknown = |why: String| (What::Unknown { request, why }, false);
            let (ended, over) = match answer {
                Ok(Ok(Ok(()))) => (What::Ok { request, seq: None, duplicate: false, seen: None }, true),
                Ok(Ok(Err(refusal))) if leaves_doubt(refusal.code) => unknown(refusal.code.as_str().to_owned()),
                Ok(Ok(Err(refusal))) => (What::Fail { request, code: refusal.code }, !refusal.code.retry()),
                Ok(Err(cause)) => unknown(format!("{cause:#}")),
                Err(_) => unknown("no answer over REST".to_owned()),
            };
            stage.note(client, ended);
            if over {
                break;
            }
            sleep(PAUSE).await;
        }
        self.accounts[person].live.lock().await.retain(|login| login.number != number);
    }

    /// The people with the newest tokens they have, for the next examination.
    pub async fn people(&self) -> Vec<Person> {
        let mut people = Vec::with_capacity(self.accounts.len());
        for account in &self.accounts {
            let mut person = account.person.clone();
            if let Some(login) = account.live.lock().await.last() {
                person.tokens = login.tokens.clone();
            }
            people.push(person);
        }
        people
    }
}

impl Login {
    fn pass(&self) -> Pass {
        Pass { login: self.number, token: self.tokens.access_token.clone() }
    }
}

/// It may have been done nevertheless.
#[must_use]
pub fn leaves_doubt(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Unavailable | ErrorCode::Internal)
}

fn lasts(tokens: &Tokens) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + MARGIN;
    u128::from(tokens.access_expires_at.0) > now.as_millis()
}
