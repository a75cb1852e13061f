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
/// Comment text, in Unicode scalar values.
pub const COMMENT_TEXT_CHARS: usize = 2_000;
/// How deep comments may answer comments; 0 is a comment on the post itself.
pub const COMMENT_DEPTH: u8 = 8;
/// Handle length, in characters (all ASCII).
pub const HANDLE_CHARS: std::ops::RangeInclusive<usize> = 3..=30;
/// Display name, in Unicode scalar values.
pub const NAME_CHARS: usize = 50;
/// Profile text, in Unicode scalar values.
pub const BIO_CHARS: usize = 500;
/// Client's name for itself in `hello`, in bytes.
pub const CLIENT_NAME_BYTES: usize = 64;
/// Password length in bytes: at least what OWASP asks with no second factor, at most what hashing may be fed.
pub const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 10..=1_024;
/// E-mail address (RFC 5321 §4.5.3.1.3).
pub const EMAIL_BYTES: usize = 254;

/// Entities in a page or snapshot when the client does not say.
pub const PAGE_DEFAULT: u16 = 50;
/// Most entities in a page or snapshot.
pub const PAGE_MAX: u16 = 100;

/// What each kind of request costs out of the budget of points per minute that `hello` tells.
pub mod points {
    /// `user.get`, `post.get`, pages, subscriptions.
    pub const READ: u32 = 1;
    /// Follow and unfollow.
    pub const REACT: u32 = 2;
    /// Updates and deletes.
    pub const EDIT: u32 = 2;
    /// New posts and comments.
    pub const CREATE: u32 = 3;
}

const _: () = assert!(MESSAGE_BYTES >= 2 * 6 * POST_TEXT_CHARS);
const _: () = assert!(COMMENT_TEXT_CHARS <= POST_TEXT_CHARS);
const _: () = assert!(SILENCE_MS > 2 * HEARTBEAT_MS);
const _: () = assert!(PAGE_DEFAULT <= PAGE_MAX);
const _: () = assert!(MESSAGE_BYTES_BEFORE_HELLO <= MESSAGE_BYTES);
