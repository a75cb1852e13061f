//! Measures how many posts a second the journal takes, by batch size, from one connection, against a database given by its URL.
//! Must never run against a database that matters: it fills it.
//!
//! `cargo run --release -p tidings-store --example commit_rate -- <url> [seconds per size]`

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tidings_actors::command::{Act, Command, Outcome};
use tidings_actors::ports::{BatchId, JournalStore};
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::text::{DisplayName, Handle, PostText};
use tidings_store::{Store, StoreOptions};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const AUTHORS: usize = 1_000;
const TEXT: &str = "Something somebody wanted to say, about as long as what people say: a line and a half of words.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("the URL of a database is missing")?;
    let seconds = arguments.next().map_or(Ok(4), |text| text.parse())?;
    let store = Store::connect(&url, &StoreOptions::default())?;
    store.migrate().await?;
    let authors = sign_up(&store).await?;
    for size in [1, 20, 100, 400] {
        let rate = measure(&store, &authors, size, Duration::from_secs(seconds)).await?;
        println!("batches of {size:>3}: {rate:>7.0} posts/s");
    }
    Ok(())
}

async fn sign_up(store: &Store) -> Result<Vec<UserId>, Failure> {
    let authors: Vec<UserId> = (0..AUTHORS).map(|_| UserId(Uuid::now_v7())).collect();
    let commands = authors
        .iter()
        .map(|id| {
            let short = id.0.simple().to_string();
            Ok(Command {
                actor: *id,
                act: Act::UserCreate {
                    handle: Handle::parse(format!("u{}", &short[4..]))?,
                    name: DisplayName::parse("Somebody")?,
                    email: format!("{short}@example.org").into(),
                    password_hash: String::new().into(),
                },
            })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    for batch in commands.chunks(100) {
        store.commit(next(), batch).await?;
    }
    Ok(authors)
}

/// As a node's journal numbers its batches.
fn next() -> BatchId {
    static WRITER: LazyLock<Uuid> = LazyLock::new(Uuid::new_v4);
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    BatchId { writer: *WRITER, number: NUMBER.fetch_add(1, Ordering::Relaxed) }
}

async fn measure(store: &Store, authors: &[UserId], size: usize, time: Duration) -> Result<f64, Failure> {
    let text = PostText::parse(TEXT)?;
    let mut authors = authors.iter().cycle();
    let (start, mut done) = (Instant::now(), 0_u32);
    while start.elapsed() < time {
        let batch: Vec<Command> = authors
            .by_ref()
            .take(size)
            .map(|author| Command {
                actor: *author,
                act: Act::PostCreate {
                    id: PostId(Uuid::now_v7()),
                    text: Some(text.clone()),
                    extra: None,
                    pictures: Vec::new(),
                },
            })
            .collect();
        for outcome in store.commit(next(), &batch).await?.outcomes {
            if !matches!(outcome, Outcome::Done(_)) {
                return Err("a post was not done".into());
            }
            done += 1;
        }
    }
    Ok(f64::from(done) / start.elapsed().as_secs_f64())
}
