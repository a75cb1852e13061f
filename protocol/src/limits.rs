//! Every number a client can run into, with its unit in its name and its reason beside it.
//! Must never hold a limit the wire does not show; those live in the crate that keeps them.

/// Largest integer that JavaScript's `JSON.parse` keeps exact.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// One message, all fragments together. Fits the longest post with every character escaped (6 bytes each) twice over.
pub const MESSAGE_BYTES: usize = 64 * 1024;
/// A frame may hold this much before the connection has said `hello`: a token and a feed list, nothing to fill memory with.
pub const MESSAGE_BYTES_BEFORE_HELLO: usize = 16 * 1024;
/// Nesting of arrays and objects; the protocol itself needs 4.
pub const JSON_DEPTH: usize = 16;
/// Time from the upgrade to `hello`.
pub const HELLO_TIMEOUT_MS: u64 = 10_000;
/// The server's ping and heartbeat interval: below the 30 s at which common proxies cut idle connections.
pub const HEARTBEAT_MS: u64 = 25_000;
/// Silence after which the server drops the connection: one ping and its answer may be lost.
pub const SILENCE_MS: u64 = 60_000;
/// Requests of one connection that may wait for their answer.
pub const REQUESTS_IN_FLIGHT: usize = 64;
/// Feeds one connection may watch.
pub const FEEDS_PER_CONNECTION: usize = 200;
/// Connections one user may hold on one node.
pub const CONNECTIONS_PER_USER: usize = 20;
/// Events that a catch-up sends one by one; a longer gap is answered with a snapshot, which is then the shorter answer.
pub const CATCH_UP_EVENTS: usize = 1_000;

/// Post text, in Unicode scalar values.
pub const POST_TEXT_CHARS: usize = 5_000;
/// Content warning, in Unicode scalar values: a line.
pub const WARNING_CHARS: usize = 200;
/// Name of a tag, in bytes of UTF-8 once folded: with its length and the feed's kind it fills 64, so that a feed's name stays small to copy.
pub const TAG_BYTES: usize = 62;
/// Hashtags of one text that count: more is shouting, and each is a feed that has to be told.
pub const TAGS_PER_TEXT: usize = 20;
/// Mentions in one text that count: each is somebody who has to be told.
pub const MENTIONS_PER_TEXT: usize = 20;
/// Comment text, in Unicode scalar values.
pub const COMMENT_TEXT_CHARS: usize = 2_000;
/// How deep comments may answer comments; 0 is a comment on the post itself.
pub const COMMENT_DEPTH: u8 = 8;
/// Pause between two comments of one person where the author of the post wants one, in seconds: longer is a lock.
pub const SLOW_SECONDS: u32 = 3_600;
/// Direct answers that are counted of one comment: beyond, "more than 99" is all that anybody reads.
pub const ANSWERS_COUNTED: u32 = 100;
/// Handle length, in characters (all ASCII).
pub const HANDLE_CHARS: std::ops::RangeInclusive<usize> = 3..=30;
/// Display name, in Unicode scalar values.
pub const NAME_CHARS: usize = 50;
/// Profile text, in Unicode scalar values.
pub const BIO_CHARS: usize = 500;
/// Client's name for itself in `hello`, in bytes.
pub const CLIENT_NAME_BYTES: usize = 64;
/// What a program that logs in calls itself (`User-Agent`), in bytes: longer ones are cut.
pub const DEVICE_NAME_BYTES: usize = 200;
/// Log-ins of one user at a time: the one not seen longest ends when one more begins. More than any person has devices; it bounds what a
/// change of password has to end.
pub const LOG_INS_PER_USER: usize = 200;
/// Tokens of one user, or of one bot, that are good at a time: one for each program somebody runs, and room to change them.
pub const API_TOKENS: usize = 20;
/// Bots of one user: enough to play with; what they write counts as much as what people write.
pub const BOTS_PER_USER: usize = 5;
/// Authors or hashtags that a program filters the firehose by: each entry is looked up in them.
pub const FILTERED_BY: usize = 100;
/// Password length in bytes: at least what OWASP asks with no second factor, at most what hashing may be fed.
pub const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 10..=1_024;
/// E-mail address (RFC 5321 §4.5.3.1.3).
pub const EMAIL_BYTES: usize = 254;

/// Entities in a page or snapshot when the client does not say.
pub const PAGE_DEFAULT: u16 = 50;
/// Most entities in a page or snapshot.
pub const PAGE_MAX: u16 = 100;

/// New posts of a feed that are counted one by one for who wants to know only how many: what pages show as "99+".
pub const NEWS_COUNTED: usize = 100;
/// Between two `news` messages about one feed to one connection: a number that people look at.
pub const NEWS_EVERY_MS: u64 = 1_000;
/// What is looked for, in Unicode scalar values: more than anybody types into such a field.
pub const QUERY_CHARS: usize = 200;
/// Words and phrases of one search: each is another list that the database walks.
pub const QUERY_WORDS: usize = 32;
/// The beginning of a name while it is typed, in Unicode scalar values: as long as a name may be, and longer than a tag.
pub const PREFIX_CHARS: usize = 62;
/// People found by one search, page by page: whoever has not found somebody among so many says more of their name.
pub const PEOPLE_FOUND: usize = 200;
/// Tags found at once: a list to choose from.
pub const TAGS_FOUND: usize = 20;
/// People suggested for a mention: a list that opens beside what one types.
pub const MENTIONS_SUGGESTED: usize = 10;

/// Posts that one user may show before all others: as many as one sees without scrolling.
pub const PINNED_POSTS: usize = 3;
/// Copies of everything one has, within 24 hours: one, and two more for who lost it.
pub const EXPORTS_PER_DAY: u16 = 3;
/// Drafts of one user: more than anybody has under way; it bounds what they keep without publishing it.
pub const DRAFTS: usize = 100;
/// How far ahead a draft may be set to be published, in milliseconds: a year, leap day and all.
pub const DRAFT_AHEAD_MS: u64 = 366 * 24 * 60 * 60 * 1_000;
/// Posts in one `post.stats`: a page of them.
pub const STATS_POSTS: usize = PAGE_MAX as usize;
/// Earlier versions of a post that `post.history` tells: the newest.
pub const POST_VERSIONS: usize = 100;
/// Between two `counts` of one post: four a second are as many as anybody sees change.
pub const COUNTS_EVERY_MS: u64 = 250;

/// People whose presence one connection may watch: their ids in one message, with as much again to spare.
pub const PRESENCE_WATCHED: usize = 500;
/// Between two `presence` messages to one connection: what changes meanwhile is told together.
pub const PRESENCE_EVERY_MS: u64 = 1_000;
/// How long somebody is shown to be typing after they were last told to be.
pub const TYPING_LIFE_MS: u64 = 6_000;
/// Between two signs of typing by one person in one thread that count: twice within its life, so that one may be lost.
pub const TYPING_AGAIN_MS: u32 = 3_000;
/// People named in one `typing` message: more than a page shows by name.
pub const TYPISTS_TOLD: usize = 10;
/// Between two `readers` messages about one post: a number that people look at, not one they count by.
pub const READERS_EVERY_MS: u64 = 2_000;

/// Read markers of one user: the feeds somebody really goes back to. Of more, the one that was moved longest ago is given up.
pub const READ_MARKERS: usize = 200;
/// Notifications named in one `notification.read`: a page of them.
pub const NOTIFICATIONS_READ_AT_ONCE: usize = PAGE_MAX as usize;

/// A note to moderators or by them, and an appeal, in Unicode scalar values: enough to say what happened.
pub const NOTE_CHARS: usize = 1_000;
/// Reports by one user in 24 hours: more than anybody sends who reads what they report.
pub const REPORTS_PER_DAY: u32 = 50;
/// Actions told with a case, and reports in `mod.get`: the newest.
pub const CASE_ACTIONS: usize = 20;
/// Reports told by `mod.get`: the newest.
pub const CASE_REPORTS: usize = PAGE_MAX as usize;
/// Requests to follow that one may have open: whoever asks more people than that at once is not asking to read them.
pub const REQUESTS_SENT: usize = 100;
/// Requests that may wait for one's answer: more than anybody looks through; it bounds what a flood of them costs.
pub const REQUESTS_RECEIVED: usize = 1_000;
/// Lists of one user: each may be watched, and is kept in memory with its members while its owner is here.
pub const LISTS: usize = 50;
/// People in one list: a page of it asks for the newest posts of each.
pub const LIST_MEMBERS: usize = 200;
/// Name of a list, in Unicode scalar values.
pub const LIST_NAME_CHARS: usize = 50;
/// Keyword filters of one user: clients try each of them on every text.
pub const FILTERS: usize = 100;
/// Phrase of a keyword filter, in Unicode scalar values.
pub const FILTER_PHRASE_CHARS: usize = 100;

/// A picture for a post, in bytes as it is sent: what a phone's camera makes at its best.
pub const IMAGE_BYTES: u32 = 8 * 1024 * 1024;
/// A picture for a profile, in bytes as it is sent.
pub const AVATAR_BYTES: u32 = 2 * 1024 * 1024;
/// Pictures in one post: as many as are seen side by side.
pub const POST_PICTURES: usize = 4;
/// What is said of a picture for who does not see it, in Unicode scalar values: a description, not an essay.
pub const ALT_CHARS: usize = 1_500;
/// Pixels of a picture: a small file may hold many, and all of them have to be decoded. Beyond what phones make when they are not asked for more.
pub const IMAGE_PIXELS: u64 = 40_000_000;
/// Longest side of the small form of a picture, in pixels: beside a post, sharp on a phone.
pub const THUMB_EDGE: u32 = 320;
/// Longest side of the smallest form, in pixels: a face beside a name.
pub const TINY_EDGE: u32 = 96;
/// What one user may ask tickets for within 24 hours, in bytes: some 60 photos; it bounds what one account can fill a disk with.
pub const MEDIA_BYTES_PER_DAY: u64 = 256 * 1024 * 1024;

/// What each kind of request costs out of the budget of points per minute that `hello` tells.
pub mod points {
    /// `user.get`, `post.get`, `post.history`, `mention.suggest`, pages, subscriptions.
    pub const READ: u32 = 1;
    /// Follow, block, mute, react, bookmark, and their ends; `post.stats`.
    pub const REACT: u32 = 2;
    /// Updates and deletes.
    pub const EDIT: u32 = 2;
    /// New posts, comments and pictures.
    pub const CREATE: u32 = 3;
    /// Searches: they look at more than they show.
    pub const SEARCH: u32 = 5;
}

const _: () = assert!(MESSAGE_BYTES >= 2 * 6 * POST_TEXT_CHARS);
const _: () = assert!(COMMENT_TEXT_CHARS <= POST_TEXT_CHARS);
const _: () = assert!(SILENCE_MS > 2 * HEARTBEAT_MS);
const _: () = assert!(PAGE_DEFAULT <= PAGE_MAX);
const _: () = assert!(PRESENCE_WATCHED * 40 * 2 <= MESSAGE_BYTES);
const _: () = assert!(2 * TYPING_AGAIN_MS as u64 <= TYPING_LIFE_MS);
const _: () = assert!(MESSAGE_BYTES_BEFORE_HELLO <= MESSAGE_BYTES);
