//! The demo: a small made-up community that moves in to an empty server and goes on talking, to each other and to visitors.
//! Must never touch a database that somebody else lives in, and must never outlive its server.

mod cast;
mod community;
mod fill;
mod line;
mod phrases;
mod room;
mod script;
mod talk;
mod typo;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::push::Event;
use tidings_protocol::reply::Snapshot;
use tidings_protocol::request::{FeedSubscribe, FeedUnsubscribe, Method};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use self::community::Community;
use self::line::{End, Line, Voice};
use self::phrases::Phrases;
use self::room::Room;
use self::talk::Talk;
use crate::link;
use crate::people::{Door, Person};

/// How often to look for the server, and whether it is there still.
const LOOK: Duration = Duration::from_millis(200);
/// A server that is not ready by then will not be. With `--while-pid` there is no such limit: the server is at work.
const READY_PATIENCE: Duration = Duration::from_secs(120);
/// Events that may wait to be heard.
const HEARD: usize = 1_024;

/// What to play.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// File in which the server's address will appear (its `TIDINGS_ADDRESS_FILE`), instead of `--url`.
    #[arg(long)]
    address_file: Option<PathBuf>,
    /// End as soon as this process, which started this one, has ended.
    #[arg(long)]
    while_pid: Option<u32>,
    /// How fast time goes: 1 is a deed in 3 to 10 seconds.
    #[arg(long, default_value_t = 1.0)]
    pace: f64,
    /// Decides what is said.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Move in, fill the database, and end.
    #[arg(long)]
    fill_only: bool,
}

/// Plays until the server is gone.
///
/// # Errors
/// The server does not come up, or refuses what it must not.
pub async fn run(args: &DemoArgs) -> Result<ExitCode> {
    ensure!((0.1..=20.0).contains(&args.pace), "--pace must be 0.1 to 20");
    tokio::select! {
        played = play(args) => played?,
        () = end_of(args.while_pid) => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn play(args: &DemoArgs) -> Result<()> {
    let url = server_at(args).await?;
    let (target, door) = (link::resolve(&url).await?, Rc::new(Door::at(&url)?));
    let (people, seq) = match community::settle(target, &door).await? {
        Community::Ours { people, seq } => (people, seq),
        Community::Others => return say("somebody lives in this database already; the demo leaves it alone."),
    };
    let mut lines = JoinSet::new();
    let ids: Vec<UserId> = people.iter().map(Person::id).collect();
    let voices: Vec<Voice> = people
        .into_iter()
        .map(|person| {
            let (line, voice) = Line::speaking(target, door.clone(), person);
            lines.spawn_local(line.live());
            voice
        })
        .collect();
    let (heard, hears) = mpsc::channel(HEARD);
    let playing = async {
        fill(&voices, &ids, args, &url).await?;
        if args.fill_only {
            return Ok(());
        }
        // Begins to listen after the fill: what is there already is no news.
        let (ear, ask_ear) = Line::listening(target, door, vec![FeedName::Global], heard);
        let listening = tokio::task::spawn_local(ear.live());
        let talk = Talk::new(Phrases::read()?, ids.clone(), args.seed ^ seq);
        // In this order: who asks over a line that has ended hears only that it has, and not why.
        tokio::select! {
            biased;
            ended = listening => notice_end(ended??),
            talked = keep_talking(talk, hears, &voices, &ask_ear, args.pace) => talked,
        }
    };
    tokio::select! {
        biased;
        Some(ended) = lines.join_next() => notice_end(ended??),
        played = playing => played,
    }
}

fn notice_end(end: End) -> Result<()> {
    match end {
        End::Gone => say("the server is gone, and so are we."),
        End::Idle => Ok(()),
    }
}

async fn fill(voices: &[Voice], ids: &[UserId], args: &DemoArgs, url: &str) -> Result<()> {
    match fill::fill(voices, ids, args.pace).await? {
        Some(filled) => {
            say(&format!("{} people, {} posts and {} comments are there.", ids.len(), filled.posts, filled.comments))?;
        }
        None => say("the people of the demo live here already; they go on talking.")?,
    }
    let seat = cast::MEMBERS[cast::SEAT].handle;
    say(&format!("open {url}/ and log in as {seat} / {}", cast::PASSWORD))
}

/// Waits for what is due and for what is heard, one thing at a time.
async fn keep_talking(
    mut talk: Talk,
    mut hears: mpsc::Receiver<Event>,
    voices: &[Voice],
    ear: &Voice,
    pace: f64,
) -> Result<()> {
    let began = Instant::now();
    let mut room = Room::default();
    loop {
        listen_to_threads(&mut room, ear).await?;
        let due = began + talk.wakes_at().div_f64(pace);
        tokio::select! {
            event = hears.recv() => {
                let event = event.context("nothing is heard any more")?;
                if let Some(news) = room.hears(event) {
                    talk.hears(news, &room, began.elapsed().mul_f64(pace));
                }
            }
            () = sleep_until(due) => {
                // Never before `due`, whatever the rounding of times by the pace does.
                let now = began.elapsed().mul_f64(pace).max(talk.wakes_at());
                if let Some(deed) = talk.next(&room, now) {
                    // A refusal here is life: what was to be answered has been deleted meanwhile.
                    drop(voices[deed.who].ask(deed.method).await?);
                }
            }
        }
    }
}

/// Subscribes to the comments of the posts that are talked about, and to those of no others.
async fn listen_to_threads(room: &mut Room, ear: &Voice) -> Result<()> {
    while let Some(feed) = room.next_to_leave() {
        drop(ear.ask(Method::FeedUnsubscribe(FeedUnsubscribe { feed })).await?);
    }
    while let Some(feed) = room.next_to_watch() {
        if let Ok(snapshot) = ear.ask(Method::FeedSubscribe(FeedSubscribe::whole(feed, None))).await? {
            room.hears(Event::FeedResync(serde_json::from_str::<Box<Snapshot>>(&snapshot)?));
        }
    }
    Ok(())
}

/// The server's URL, once it is ready.
async fn server_at(args: &DemoArgs) -> Result<String> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
    let deadline = Instant::now() + READY_PATIENCE;
    while args.while_pid.is_some() || Instant::now() < deadline {
        if let Some(url) = args.url() {
            let ready = client.get(format!("{url}/readyz")).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(url);
            }
        }
        sleep(LOOK).await;
    }
    bail!("no server was ready within {READY_PATIENCE:?}");
}

impl DemoArgs {
    /// Where the server is, as far as is known yet.
    fn url(&self) -> Option<String> {
        let Some(file) = &self.address_file else {
            return Some(self.url.trim_end_matches('/').to_owned());
        };
        let mut address: SocketAddr = std::fs::read_to_string(file).ok()?.trim().parse().ok()?;
        if address.ip().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        Some(format!("http://{address}"))
    }
}

/// Waits for the end of the process that started us; for ever if none is named.
async fn end_of(parent: Option<u32>) {
    let Some(parent) = parent else { return std::future::pending().await };
    // Whoever loses its parent gets another, so this cannot mistake a new process of the same number for it.
    while std::os::unix::process::parent_id() == parent {
        sleep(LOOK).await;
    }
}

fn say(words: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "demo: {words}")?;
    Ok(out.flush()?)
}
