//! What was seen in simulated worlds: to tell whether they were hard enough. Nothing is decided by it.

/// What has been seen, to tell whether the world was hard enough.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Events carried out and turns given to threads.
    pub(crate) steps: u64,
    /// That clients have heard.
    pub(crate) messages: u64,
    /// Of these, what tells less than there is: of things that may not be seen any more, or not by this reader.
    pub(crate) short: u64,
    pub(crate) entries: u64,
    pub(crate) acknowledged: u64,
    pub(crate) resumed: u64,
    pub(crate) afresh: u64,
    pub(crate) resyncs: u64,
    pub(crate) crashes: u64,
    pub(crate) promotions: u64,
    pub(crate) faults: u64,
    /// Quiet points reached.
    pub(crate) quiet: u64,
    /// Log-ins ended.
    pub(crate) turned_out: u64,
    /// Virtual time, in milliseconds.
    pub(crate) lived_ms: u64,
    /// Longest from the last fault until all was well.
    pub(crate) slowest_heal_ms: u64,
}

impl Seen {
    /// What several worlds have seen together.
    pub(crate) fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.messages += other.messages;
        self.short += other.short;
        self.entries += other.entries;
        self.acknowledged += other.acknowledged;
        self.resumed += other.resumed;
        self.afresh += other.afresh;
        self.resyncs += other.resyncs;
        self.crashes += other.crashes;
        self.promotions += other.promotions;
        self.faults += other.faults;
        self.quiet += other.quiet;
        self.turned_out += other.turned_out;
        self.lived_ms += other.lived_ms;
        self.slowest_heal_ms = self.slowest_heal_ms.max(other.slowest_heal_ms);
    }
}
