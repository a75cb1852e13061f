//! What is there before and after: whom our people follow, what is counted of them, and in the end all they have written.
//! Must never be made while anything is being changed, and must never leave out what is alive.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use anyhow::{Context as _, Result, anyhow};
use futures_util::future::try_join_all;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::limits::PAGE_MAX;
use tidings_protocol::position::{Cursor, Seq};
use tidings_protocol::reply::{CommentsPage, FeedStart, FollowResult, PostsPage, UserResult, Welcome};
use tidings_protocol::request::{CommentPage, FeedPage, Method, UserGet, UserRef};
use uuid::Uuid;

use super::logins::Logins;
use super::visit::Visit;
use crate::examine::history::{Counts, Final, Seen, Thing};

/// Tries of one person's visit: faults are over, but a connection may still be lost.
const TRIES: u32 = 5;

/// Where and as whom to look.
pub struct Survey<'a> {
    /// The nodes.
    pub nodes: &'a [SocketAddr],
    /// The people's log-ins.
    pub logins: &'a Logins,
    /// The people.
    pub people: &'a [Uuid],
}

/// How one person stood before.
#[derive(Clone, Copy, Debug)]
pub struct Baseline {
    /// Posts of earlier times, and follows from and to others: what the counters hold beside ours.
    pub others: Counts,
    /// The journal had reached this.
    pub position: Cursor,
}

impl Survey<'_> {
    /// Ends all follows between our people, and tells how they stand then.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub async fn before(&self) -> Result<Vec<Baseline>> {
        // First all of them end their follows, then they are counted.
        let told = try_join_all((0..self.people.len()).map(|person| self.unfollow_all(person))).await?;
        let mut baselines = try_join_all((0..self.people.len()).map(|person| self.count(person))).await?;
        // The node that was asked may not have heard of everything yet.
        for baseline in &mut baselines {
            baseline.position.seq = told.iter().copied().fold(baseline.position.seq, Seq::max);
        }
        Ok(baselines)
    }

    async fn unfollow_all(&self, person: usize) -> Result<Seq> {
        let (mut visit, welcome) = Visit::pay(self.nodes, self.logins, person, &[FeedName::Me]).await?;
        let ours = follows_in(&welcome).filter(|id| self.people.contains(id));
        let methods: Vec<Method> = ours.map(|id| Method::UserUnfollow(UserRef { id: UserId(id) })).collect();
        let mut told = welcome.cursor.seq.max(welcome.user.map_or(Seq(0), |user| user.rev));
        for answer in visit.ask(&methods).await? {
            let done: FollowResult = read(answer)?;
            anyhow::ensure!(!done.following, "a follow could not be ended");
            told = told.max(done.seq);
        }
        visit.leave().await;
        Ok(told)
    }

    async fn count(&self, person: usize) -> Result<Baseline> {
        let (mut visit, welcome) = Visit::pay(self.nodes, self.logins, person, &[]).await?;
        let others = self.counts(&mut visit).await?;
        visit.leave().await;
        Ok(Baseline { others, position: welcome.cursor })
    }

    async fn counts(&self, visit: &mut Visit) -> Result<Counts> {
        let own = visit.ask(&[Method::UserGet(UserGet::default())]).await?;
        let UserResult { user, followers, follows, posts, .. }: UserResult =
            read(own.into_iter().next().context("no answer")?)?;
        Ok(Counts { user: user.id.0, followers, follows, posts })
    }

    /// Everything alive that was written after `base`, and what the counters have gained.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub async fn after(&self, base: u64, seq: u64, before: &[Baseline]) -> Result<Final> {
        let visits = (0..self.people.len()).map(|person| self.insist(person, base));
        let found = try_join_all(visits).await?;
        let mut last = Final { seq, ..Final::default() };
        for ((things, counts), baseline) in found.into_iter().zip(before) {
            last.things.extend(things);
            last.counts.push(gained(counts, baseline.others));
        }
        // Two people may have been asked for the same post's comments: each thing stands once.
        let mut had = BTreeSet::new();
        last.things.retain(|seen| had.insert(seen.thing));
        Ok(last)
    }

    async fn insist(&self, person: usize, base: u64) -> Result<(Vec<Seen>, Counts)> {
        let mut trouble = anyhow!("never tried");
        for _ in 0..TRIES {
            match self.person(person, base).await {
                Ok(found) => return Ok(found),
                Err(cause) => trouble = cause,
            }
        }
        Err(trouble.context("the final state cannot be fetched"))
    }

    async fn person(&self, person: usize, base: u64) -> Result<(Vec<Seen>, Counts)> {
        let me = self.people[person];
        let (mut visit, welcome) = Visit::pay(self.nodes, self.logins, person, &[FeedName::Me]).await?;
        let snapshots = welcome.feeds.iter().filter_map(snapshot);
        let mut things: Vec<Seen> = snapshots.flat_map(|snapshot| snapshot.user.iter().map(Seen::user)).collect();
        things.extend(follows_in(&welcome).filter(|id| self.people.contains(id)).map(|whom| following(me, whom)));
        let posts = self.posts(&mut visit, me, base).await?;
        things.extend(self.comments(&mut visit, &posts).await?);
        things.extend(posts);
        let counts = self.counts(&mut visit).await?;
        visit.leave().await;
        Ok((things, counts))
    }

    /// Newest first, back to where this examination began.
    async fn posts(&self, visit: &mut Visit, author: Uuid, base: u64) -> Result<Vec<Seen>> {
        let (mut posts, mut before) = (Vec::new(), None);
        loop {
            let page = FeedPage { feed: FeedName::User(UserId(author)).into(), before, limit: Some(PAGE_MAX) };
            let answers = visit.ask(&[Method::FeedPage(page)]).await?;
            let page: PostsPage = read(answers.into_iter().next().context("no answer")?)?;
            let full = page.posts.len();
            posts.extend(page.posts.iter().filter(|post| post.seq.0 > base).map(Seen::post));
            before = page.next;
            let reached = page.posts.last().is_none_or(|post| post.seq.0 <= base);
            if before.is_none() || full == 0 || reached {
                return Ok(posts);
            }
        }
    }

    /// Of these posts, page by page for all at once.
    async fn comments(&self, visit: &mut Visit, posts: &[Seen]) -> Result<Vec<Seen>> {
        let mut found: BTreeMap<Thing, Seen> = BTreeMap::new();
        let mut asked: Vec<(PostId, Option<Cursor>)> = posts
            .iter()
            .filter_map(|seen| if let Thing::Post(id) = seen.thing { Some((PostId(id), None)) } else { None })
            .collect();
        while !asked.is_empty() {
            let page = |(post, before): &(PostId, Option<Cursor>)| {
                Method::CommentPage(CommentPage { post: *post, parent: None, before: *before, limit: Some(PAGE_MAX) })
            };
            let answers = visit.ask(&asked.iter().map(page).collect::<Vec<_>>()).await?;
            let mut more = Vec::new();
            for (answer, (post, _)) in answers.into_iter().zip(asked) {
                let page: CommentsPage = read(answer)?;
                // A page also holds older ones that its newest answer: they may come again.
                let alive = page.comments.iter().filter(|comment| !comment.removed);
                found.extend(alive.map(Seen::comment).map(|seen| (seen.thing, seen)));
                more.extend(page.next.map(|next| (post, Some(next))));
            }
            asked = more;
        }
        Ok(found.into_values().collect())
    }
}

fn snapshot(start: &FeedStart) -> Option<&tidings_protocol::reply::Snapshot> {
    if let FeedStart::Snapshot { snapshot } = start { Some(snapshot) } else { None }
}

fn follows_in(welcome: &Welcome) -> impl Iterator<Item = Uuid> + '_ {
    welcome.feeds.iter().filter_map(snapshot).flat_map(|snapshot| snapshot.follows.iter().flatten()).map(|id| id.0)
}

/// A follow as a list tells it: without its `rev`.
#[must_use]
pub fn following(who: Uuid, whom: Uuid) -> Seen {
    let (thing, author) = (Thing::Follow(who, whom), Some(who));
    Seen { thing, rev: 0, place: None, author, on: None, mark: 0, gone: false }
}

fn gained(now: Counts, before: Counts) -> Counts {
    Counts {
        user: now.user,
        followers: now.followers.saturating_sub(before.followers),
        follows: now.follows.saturating_sub(before.follows),
        posts: now.posts.saturating_sub(before.posts),
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: Result<String, tidings_protocol::error::Refusal>) -> Result<T> {
    let body = answer.map_err(|refusal| anyhow!("refused ({:?}): {}", refusal.code, refusal.message))?;
    Ok(serde_json::from_str(&body)?)
}
