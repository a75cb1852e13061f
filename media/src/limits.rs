//! Bounds of taking pictures in, each with its unit in its name and its reason (P6).
//! Must never hold what the wire shows; that is `tidings_protocol::limits`.

use tidings_protocol::limits::{AVATAR_BYTES, IMAGE_BYTES, IMAGE_PIXELS};

/// Bytes that decoded pixels may take: all that may be at 8 bits a channel with transparency, half as many at 16 bits.
pub const DECODED_BYTES: u64 = 4 * IMAGE_PIXELS;
/// Longest side of what is kept: four times a common screen's; beyond it everybody who looks pays for what nobody sees.
pub const KEPT_EDGE: u32 = 4_096;
/// Side of a whole avatar: the largest that any page shows it.
pub const AVATAR_EDGE: u32 = 512;
/// Bytes of a kept picture. WebP packs what JPEG and PNG cannot; what does not fit is made smaller until it does.
pub const KEPT_BYTES: usize = 2 * IMAGE_BYTES as usize;
/// Pixels of all frames of a moving picture together: some five seconds of work.
pub const MOVING_PIXELS: u64 = 4 * IMAGE_PIXELS;
/// Frames of a moving picture: a minute at 25 a second.
pub const MOVING_FRAMES: usize = 1_500;
/// Largest colour profile that is looked at. Those of cameras and screens have some 500 to 4,000 bytes; of printers, megabytes.
pub const PROFILE_BYTES: usize = 64 * 1024;
/// Quality of kept JPEGs, of 100: what is lost cannot be seen, at about half the size of 95.
pub const JPEG_QUALITY: u8 = 85;

/// The longest that a ticket may live by the settings: who finds one in a log a day later must not be able to use it.
pub const TICKET_MOST_MS: u64 = 15 * 60 * 1_000;
/// Uploads at once on one node: 256 MiB of memory at worst.
pub const UPLOADS: usize = 32;
/// Uploads at once of one user: what a page sends side by side.
pub const UPLOADS_PER_USER: usize = 4;
/// A body that has not come within this, plus its bytes at [`LEAST_BYTES_PER_SECOND`], is given up: a trickle must not hold a place.
pub const FIRST_BYTES_MS: u64 = 10_000;
/// Half a megabit: slower than any line on which anybody would send pictures.
pub const LEAST_BYTES_PER_SECOND: u64 = 64 * 1024;

/// What a client is told to wait when all places are taken, or too many pictures wait for a painter: the largest take two or three seconds, most a tenth of that.
pub const BUSY_AGAIN_MS: u64 = 2_000;
/// What a client is told to wait while the folder or the object store is away.
pub const AWAY_AGAIN_MS: u64 = 5_000;
/// Longest wait for the object store to take or erase one file.
pub const SHELF_PATIENCE_MS: u64 = 30_000;
/// A picture that nothing has shown for a day is forgotten.
pub const UNUSED_MS: u64 = 24 * 60 * 60 * 1_000;
/// Condemned pictures are erased after this: no ticket that could still write one lives that long.
pub const CONDEMNED_MS: u64 = 60 * 60 * 1_000;

const _: () = assert!(KEPT_BYTES > IMAGE_BYTES as usize && IMAGE_BYTES > AVATAR_BYTES);
const _: () = assert!(CONDEMNED_MS >= 4 * TICKET_MOST_MS);
const _: () = assert!(UPLOADS_PER_USER < UPLOADS / 4);
