//! The people of the demo at a server's door: signed up once, logged in again later, recognised as our own.
//! Must never touch a database that somebody else lives in.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tidings_protocol::request::Hello;
use tidings_protocol::rest::{Login, SignUp};

use super::cast::{MEMBERS, Member, PASSWORD};
use crate::link;
use crate::people::{Answer, Door, Person};

/// Tries of one request that the server puts off.
const TRIES: u32 = 100;
/// Shortest wait between two.
const LEAST_WAIT: Duration = Duration::from_millis(200);

/// Who is there.
pub enum Community {
    /// Ours: all members, in their order, and where the journal stood.
    Ours {
        /// All of them.
        people: Vec<Person>,
        /// The journal's end before they came in.
        seq: u64,
    },
    /// Somebody else's.
    Others,
}

/// Signs everybody up in an empty database, logs everybody in to our own, leaves any other alone.
///
/// # Errors
/// The server cannot be reached or refuses what it must not.
pub async fn settle(target: SocketAddr, door: &Door) -> Result<Community> {
    let mut socket = link::open(target, 0).await?;
    // Everything that ever happened has a number; where there is none, nothing has.
    let seq = link::greet(&mut socket, Hello::default()).await?.cursor.seq.0;
    socket.close(None).await?;
    let mut people = Vec::new();
    for (number, member) in MEMBERS.iter().enumerate() {
        let known = if seq == 0 { None } else { log_in(door, member).await? };
        let person = match known {
            Some(person) => person,
            // The first to sign up is the mark of our own; others are missing if an earlier fill broke off.
            None if seq > 0 && number == 0 => return Ok(Community::Others),
            None => sign_up(door, member).await?,
        };
        people.push(person);
    }
    Ok(Community::Ours { people, seq })
}

async fn log_in(door: &Door, member: &Member) -> Result<Option<Person>> {
    let login = Login { login: member.handle.to_owned(), password: PASSWORD.to_owned() };
    Ok(match insist(door, "/api/v1/auth/login", &login).await? {
        Answer::Tokens(tokens) => Some(person(member, *tokens)),
        Answer::Refused(_) | Answer::Later(_) => None,
    })
}

async fn sign_up(door: &Door, member: &Member) -> Result<Person> {
    let body = SignUp {
        handle: member.handle.to_owned(),
        name: Some(member.name.to_owned()),
        email: format!("{}@demo.example", member.handle),
        password: PASSWORD.to_owned(),
    };
    match insist(door, "/api/v1/users", &body).await? {
        Answer::Tokens(tokens) => Ok(person(member, *tokens)),
        Answer::Refused(why) => bail!("`{}` cannot sign up: {why}", member.handle),
        Answer::Later(_) => bail!("the server put off the sign-up of `{}` too often", member.handle),
    }
}

fn person(member: &Member, tokens: tidings_protocol::rest::Tokens) -> Person {
    Person { handle: member.handle.to_owned(), password: PASSWORD.to_owned(), tokens, follows: Vec::new() }
}

/// Asks until the server has time.
async fn insist(door: &Door, path: &str, body: &impl Serialize) -> Result<Answer> {
    for _ in 0..TRIES {
        match door.ask(path, body).await.context("the server has gone while the demo was moving in")? {
            Answer::Later(wait) => tokio::time::sleep(wait.max(LEAST_WAIT)).await,
            answer @ (Answer::Tokens(_) | Answer::Refused(_)) => return Ok(answer),
        }
    }
    Ok(Answer::Later(LEAST_WAIT))
}
