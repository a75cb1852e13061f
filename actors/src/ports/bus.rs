//! The port to the other nodes: rumours. A bus may lose, repeat, reorder and die; nothing may depend on it but latency.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::entry::Batch;
use crate::presence::whisper::Whisper;

/// What comes from the bus.
#[derive(Clone, Debug)]
pub enum Heard {
    /// A peer has committed this.
    Rumour(Arc<Batch>),
    /// The connection is lost: expect nothing until [`Heard::Back`].
    Away,
    /// Connected (again): anything may have been missed until now.
    Back,
}

/// The bus between nodes.
pub trait Bus: Send + Sync + 'static {
    /// Tells the peers. Never waits: what does not fit the bounded queue is dropped and counted, as a bus may lose anything.
    fn publish(&self, batch: Arc<Batch>);

    /// Everything heard from peers (never one's own), in one bounded queue. When the queue overflows the bus drops rumours and counts
    /// them. The first message tells how it stands: [`Heard::Back`] or [`Heard::Away`]. May be called once.
    fn listen(&self) -> mpsc::Receiver<Heard>;

    /// Tells the peers what is true only for a moment. Never waits; what does not fit is dropped and counted. Whispers are kept apart from
    /// rumours: however many there are, no rumour is lost by them.
    fn whisper(&self, whisper: Arc<Whisper>);

    /// What peers whisper (never one's own), in one bounded queue; what does not fit is dropped and counted. May be called once.
    fn overhear(&self) -> mpsc::Receiver<Whisper>;
}
