//! What all sessions of a node share: the ports, the journal and the settings.

use std::sync::Arc;
use std::time::Instant;

use tidings_protocol::reply::Limits;

use crate::account::seen::Seen;
use crate::counters::Counters;
use crate::frame::Framing;
use crate::journal::actor::JournalAddr;
use crate::ports::{BotDesk, Circle, Desk, Drafts, Marks, Moderation, Pictures, Reads, Search, Tokens};
use crate::presence::company::Company;
use crate::session::ears::Ears;
use crate::starts::Starts;
use crate::tail::actor::Sight;
use crate::user::Users;

/// What an operator may set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Time from the upgrade to `hello`.
    pub hello_timeout_ms: u64,
    /// Budget of one user over all their connections to this node.
    pub points_per_minute: u32,
    /// Ping and heartbeat interval.
    pub heartbeat_ms: u64,
    /// Bytes that the outboxes of one worker thread may hold together.
    pub outbox_bytes: usize,
    /// New posts a second that are told on `global`; of more, one in two, four, eight … is. 0: all are.
    pub global_rate: u32,
    /// Time over which the connections of a leaving node come back elsewhere.
    pub drain_ms: u64,
}

/// A node.
pub struct Node {
    /// Reading state.
    pub reads: Arc<dyn Reads>,
    /// Checking tokens.
    pub tokens: Arc<dyn Tokens>,
    /// One's own account.
    pub desk: Arc<dyn Desk>,
    /// Places at the firehose.
    pub firehose: Ears,
    /// Tokens and bots.
    pub bots: Arc<dyn BotDesk>,
    /// Pictures.
    pub pictures: Arc<dyn Pictures>,
    /// When log-ins were last connected.
    pub seen: Arc<Seen>,
    /// Changing state.
    pub journal: JournalAddr,
    /// How sure the node is that nobody's log-in has ended without its knowing.
    pub sight: Arc<Sight>,
    /// The line for reads that start feeds.
    pub starts: Starts,
    /// Users online here.
    pub users: Arc<Users>,
    /// Who is here.
    pub company: Arc<Company>,
    /// What people have not published yet.
    pub drafts: Arc<dyn Drafts>,
    /// What people have chosen about others.
    pub circle: Arc<dyn Circle>,
    /// What people leave on posts.
    pub marks: Arc<dyn Marks>,
    /// Looking for things by words.
    pub search: Arc<dyn Search>,
    /// What moderators look at.
    pub moderation: Arc<dyn Moderation>,
    /// Posts in numbers, live.
    pub counters: Arc<Counters>,
    /// How the transport wraps what is sent.
    pub framing: Framing,
    /// What the operator set.
    pub settings: Settings,
    /// Where the node's monotonic clock began.
    pub started: Instant,
}

impl Node {
    /// Milliseconds of the node's monotonic clock.
    #[must_use]
    pub fn now(&self) -> u64 {
        crate::clock::since(self.started)
    }

    /// What `hello` tells of limits.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        Limits::with_budget(self.settings.points_per_minute)
    }
}
