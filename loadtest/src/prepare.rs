//! Brings the server's follows in line with the graph, and checks that its limits allow the run.
//! Must never start a run that the limits would spoil: it says which setting to raise.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::limits::points;
use tidings_protocol::reply::Limits;
use tidings_protocol::request::{Hello, Method, PostCreate, UserRef};
use tidings_protocol::text::PostText;
use uuid::Uuid;

use crate::graph::Follows;
use crate::link::{self, Refused, Socket};
use crate::people::{self, Person};
use crate::plan::Span;

/// People whose follows are arranged at the same time.
const AT_ONCE: usize = 32;
/// Tries of one request that the server puts off.
const TRIES: u32 = 600;

/// Asks a server for its limits.
///
/// # Errors
/// It cannot be reached.
pub async fn limits(target: SocketAddr) -> Result<Limits> {
    let mut socket = link::open(target, 0).await?;
    Ok(link::greet(&mut socket, Hello::default()).await?.limits)
}

/// What each author posts in the fullest minute of a run.
#[must_use]
pub fn fullest_minute(spans: &[Span], authors: usize) -> f64 {
    let in_minute = |from: Duration| -> f64 {
        let until = from + Duration::from_secs(60);
        let part = |span: &Span| span.ends.min(until).saturating_sub(span.begins.max(from)).as_secs_f64();
        spans.iter().map(|span| span.work() * part(span)).sum()
    };
    // The fullest minute begins with a span or ends with one.
    let begins = spans.iter().flat_map(|span| [span.begins, span.ends.saturating_sub(Duration::from_secs(60))]);
    #[expect(clippy::cast_precision_loss, reason = "few people")]
    let authors = authors as f64;
    begins.map(in_minute).fold(0.0, f64::max) / authors
}

/// Says whether each author may post as much as planned.
///
/// # Errors
/// In words: what the server allows, what the run needs, what to change.
pub fn check_budget(limits: &Limits, posts: f64, hint: &str) -> Result<()> {
    // A burst of a whole minute's budget is allowed; random arrivals need a margin.
    let needed = f64::from(points::CREATE) * (posts + 3.0 * posts.sqrt());
    ensure!(
        needed <= f64::from(limits.points_per_minute),
        "the server allows each user {} points a minute; each author of this run would need {needed:.0}. \
         Start the server with TIDINGS_POINTS_PER_MINUTE={:.0} or more, or {hint}",
        limits.points_per_minute,
        needed.ceil()
    );
    Ok(())
}

/// Follows and unfollows until everybody follows exactly whom the graph says.
///
/// # Errors
/// The server refuses, or the file cannot be written.
pub async fn arrange(target: SocketAddr, people: &mut [Person], graph: &Follows, file: Option<&Path>) -> Result<()> {
    let ids: Vec<UserId> = people.iter().map(Person::id).collect();
    let wanted: Vec<BTreeSet<UserId>> = graph.iter().map(|set| set.iter().map(|&n| ids[n]).collect()).collect();
    let mut changes: Vec<(usize, Vec<Method>)> = Vec::new();
    for (number, person) in people.iter_mut().enumerate() {
        let now: BTreeSet<UserId> = person.follows.iter().copied().collect();
        let gone = now.difference(&wanted[number]).map(|&id| Method::UserUnfollow(UserRef { id }));
        let new = wanted[number].difference(&now).map(|&id| Method::UserFollow(UserRef { id }));
        let methods: Vec<Method> = gone.chain(new).collect();
        if !methods.is_empty() {
            changes.push((number, methods));
        }
        // Until all is done, both may be: a run that breaks off here must not hide a follow from the next.
        person.follows = now.union(&wanted[number]).copied().collect();
    }
    if changes.is_empty() {
        return Ok(());
    }
    if let Some(path) = file {
        write_down(path, people)?;
    }
    let bar = people::bar(changes.iter().map(|(_, methods)| methods.len() as u64).sum(), "follows");
    let jobs = changes.into_iter().map(|(number, methods)| {
        let token = people[number].tokens.access_token.clone();
        arrange_one(target, number, token, methods, &bar)
    });
    stream::iter(jobs).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    bar.finish_and_clear();
    for (person, wanted) in people.iter_mut().zip(wanted) {
        person.follows = wanted.into_iter().collect();
    }
    file.map_or(Ok(()), |path| write_down(path, people))
}

/// Writes the posts whose comments a run is about.
///
/// # Errors
/// The server refuses.
pub async fn threads(target: SocketAddr, author: &Person, count: usize) -> Result<Vec<PostId>> {
    let mut threads = Vec::new();
    if count == 0 {
        return Ok(threads);
    }
    let bar = people::bar(count as u64, "threads");
    let mut socket = link::open(target, 0).await?;
    let hello = Hello { token: Some(author.tokens.access_token.clone()), ..Hello::default() };
    link::greet(&mut socket, hello).await?;
    for number in 1..=count {
        let id = PostId(Uuid::now_v7());
        let text = PostText::parse(format!("tidings-load: thread {number} of {count}"))?;
        insist(&mut socket, number as u64, Method::PostCreate(PostCreate::public(id, text)), &bar).await?;
        threads.push(id);
        bar.inc(1);
    }
    bar.finish_and_clear();
    socket.close(None).await?;
    Ok(threads)
}

/// Keeps the accounts of the file that this run does not use.
fn write_down(path: &Path, people: &[Person]) -> Result<()> {
    let mut all = people.to_vec();
    if path.exists() {
        all.extend(people::load(path)?.into_iter().skip(people.len()));
    }
    people::save(path, &all)
}

async fn arrange_one(
    target: SocketAddr,
    number: usize,
    token: String,
    methods: Vec<Method>,
    bar: &ProgressBar,
) -> Result<()> {
    let mut socket = link::open(target, number).await?;
    let hello = Hello { token: Some(token), ..Hello::default() };
    link::greet(&mut socket, hello).await.with_context(|| format!("`hello` of person {number}"))?;
    for (id, method) in (1..).zip(methods) {
        insist(&mut socket, id, method, bar).await?;
        bar.inc(1);
    }
    Ok(socket.close(None).await?)
}

/// Asks until the server has room for it.
async fn insist(socket: &mut Socket, id: u64, method: Method, bar: &ProgressBar) -> Result<()> {
    for _ in 0..TRIES {
        match link::ask(socket, id, method.clone()).await {
            Ok(_) => return Ok(()),
            Err(cause) => match cause.downcast_ref::<Refused>() {
                Some(Refused(refusal)) if refusal.retry => {
                    bar.set_message(
                        "(the server limits follows: a larger TIDINGS_POINTS_PER_MINUTE makes this faster)",
                    );
                    tokio::time::sleep(Duration::from_millis(refusal.retry_after_ms.unwrap_or(500))).await;
                }
                Some(_) | None => return Err(cause.context(format!("`{}`", method.name()))),
            },
        }
    }
    bail!("the server put off `{}` {TRIES} times", method.name());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;
    use crate::settings::{Phase, Settings};

    #[test]
    fn a_budget_that_is_too_small_is_told_with_the_setting_to_raise() {
        check_budget(&Limits::with_budget(600), 60.0, "use more").unwrap();
        let said = check_budget(&Limits::with_budget(600), 600.0, "use more --authors").unwrap_err().to_string();
        assert!(said.contains("TIDINGS_POINTS_PER_MINUTE=2") && said.contains("--authors"), "{said}");
        check_budget(&Limits::with_budget(600), 100.0, "use more").unwrap();
    }

    #[test]
    fn the_fullest_minute_is_found_wherever_it_is() {
        let phase = |seconds, rate| Phase { seconds, rate: Some(rate), ..Phase::default() };
        let phases = vec![phase(100.0, 1.0), phase(30.0, 10.0), phase(100.0, 2.0)];
        let settings = Settings { phases, warm_up: 0.0, ..Settings::default() };
        let most = fullest_minute(&plan::spans(&settings), 4);
        assert!((most - (300.0 + 60.0) / 4.0).abs() < 1e-6, "{most}");
        let short = Settings { seconds: 3.0, warm_up: 0.0, ..Settings::default() };
        assert!((fullest_minute(&plan::spans(&short), 1) - 30.0).abs() < 1e-6);
    }
}
