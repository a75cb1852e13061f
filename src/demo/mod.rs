//! A made-up community for a first look: people who sign up, follow each other, post and answer, over the same socket as everybody.
//! Must never touch a database that others have used, nor use any way in that clients do not have.

mod bot;
mod script;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tidings_actors::ports::JournalStore;
use tidings_protocol::error::{ErrorCode, Refusal};
use tidings_protocol::rest::{Login, SignUp, Tokens};
use tokio::task::JoinSet;

use crate::auth::Auth;
use script::{PEOPLE, Person};

/// Of every member, so that a newcomer can look through their eyes.
pub const PASSWORD: &str = "tidings demo";
/// Members live here.
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Between two tries to come in.
const AGAIN: Duration = Duration::from_secs(5);

/// Who can be logged in as.
#[must_use]
pub fn handles() -> Vec<&'static str> {
    PEOPLE.iter().map(|person| person.handle).collect()
}

/// Lets the community live, for as long as it is polled. Ends at once if the database has a life of its own.
pub async fn live(address: SocketAddr, auth: Arc<Auth>, journal: Arc<dyn JournalStore>) {
    let empty = match journal.head().await {
        Ok(head) => head.seq.0 == 0,
        Err(fault) => return tracing::warn!(%fault, "the demo cannot see the journal"),
    };
    let mut arrived = Vec::new();
    for (number, person) in PEOPLE.iter().enumerate() {
        let came = match empty {
            true => sign_up(&auth, person).await,
            false => log_in(&auth, person).await,
        };
        match came {
            Ok(tokens) => arrived.push((number, tokens)),
            Err(refusal) if refusal.code == ErrorCode::BadCredentials => {
                return tracing::info!("this database is not the demo's: it stays as it is");
            }
            Err(refusal) => tracing::warn!(code = ?refusal.code, "a member of the demo cannot come in"),
        }
    }
    // Only now, so that they find each other.
    let mut community = JoinSet::new();
    for (number, tokens) in arrived {
        community.spawn_local(stay(number, tokens, address, auth.clone()));
    }
    while community.join_next().await.is_some() {}
}

/// One member: comes back after every loss, as a person's client would.
async fn stay(number: usize, first: Tokens, address: SocketAddr, auth: Arc<Auth>) {
    let person = &PEOPLE[number];
    let mut tokens = Some(first);
    let mut bot = bot::Bot::new(number);
    loop {
        let arrived = match tokens.take() {
            Some(tokens) => Ok(tokens),
            None => log_in(&auth, person).await,
        };
        match arrived {
            Ok(tokens) => {
                if let Err(fault) = bot.talk(address, &tokens).await {
                    tracing::debug!(%fault, handle = person.handle, "a member of the demo lost the line");
                }
            }
            Err(refusal) => tracing::debug!(code = ?refusal.code, "a member of the demo has to wait"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn sign_up(auth: &Auth, person: &Person) -> Result<Tokens, Refusal> {
    let wish = SignUp {
        handle: person.handle.to_owned(),
        name: Some(person.name.to_owned()),
        email: format!("{}@demo.example", person.handle),
        password: PASSWORD.to_owned(),
    };
    auth.sign_up(HOME, wish).await
}

async fn log_in(auth: &Auth, person: &Person) -> Result<Tokens, Refusal> {
    let wish = Login { login: person.handle.to_owned(), password: PASSWORD.to_owned() };
    auth.log_in(HOME, wish).await
}
