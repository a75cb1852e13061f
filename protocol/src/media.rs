//! Pictures on the wire: what is asked for over the socket before one is sent by HTTP, and what comes of it.
//! Must never hold bytes of a picture; those go by `PUT` and `GET`, under the addresses told here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::{ErrorCode, Refusal};
use crate::ids::MediaId;
use crate::limits;
use crate::position::Millis;
use crate::text::AltText;

/// What the path of every upload begins with; the ticket follows.
pub const UPLOAD_PATH: &str = "/api/v1/media/";
/// What the path of every picture begins with; its id and its size follow.
pub const SHOW_PATH: &str = "/media/";

/// What a picture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// The face of a profile: cut to a square, never moving.
    Avatar,
    /// Part of a post.
    Image,
}

impl MediaKind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Avatar, Self::Image];

    /// The most bytes that may be sent for it.
    #[must_use]
    pub const fn most_bytes(self) -> u32 {
        match self {
            Self::Avatar => limits::AVATAR_BYTES,
            Self::Image => limits::IMAGE_BYTES,
        }
    }
}

/// A type of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
pub enum MediaType {
    /// PNG.
    #[serde(rename = "image/png")]
    Png,
    /// JPEG.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// WebP. Taken, but kept as JPEG or PNG.
    #[serde(rename = "image/webp")]
    Webp,
    /// GIF. A moving one goes on moving.
    #[serde(rename = "image/gif")]
    Gif,
}

impl MediaType {
    /// As HTTP names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
        }
    }
}

/// A picture that has been sent and may be shown. It never changes under its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Media {
    /// Which.
    pub id: MediaId,
    /// What it is for.
    pub kind: MediaKind,
    /// As it is kept, which need not be as it was sent.
    #[serde(rename = "type")]
    pub media_type: MediaType,
    /// Pixels, as it is to be seen (turned upright).
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Size as it is kept.
    pub bytes: u32,
    /// Path of the whole picture on any node. It may be kept for ever.
    pub url: String,
    /// Path of a small one: of an image at most 320 pixels wide and high, of an avatar 96.
    pub thumb_url: String,
}

impl Media {
    /// A picture of so many pixels (wide, high) and bytes, with its addresses.
    #[must_use]
    pub fn of(id: MediaId, kind: MediaKind, media_type: MediaType, [width, height]: [u32; 2], bytes: u32) -> Self {
        let thumb = match kind {
            MediaKind::Avatar => limits::TINY_EDGE,
            MediaKind::Image => limits::THUMB_EDGE,
        };
        let (url, thumb_url) = (format!("{SHOW_PATH}{id}/full"), format!("{SHOW_PATH}{id}/{thumb}"));
        Self { id, kind, media_type, width, height, bytes, url, thumb_url }
    }
}

/// A picture for a post: one's own, sent as an `image`, and shown by nothing yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PictureRef {
    /// Which.
    pub id: MediaId,
    /// What it shows, for who does not see it; nothing if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub alt: Option<AltText>,
}

/// A picture that a post shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Picture {
    /// Which.
    pub id: MediaId,
    /// What it shows, as its author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub alt: Option<String>,
    /// As it is kept.
    #[serde(rename = "type")]
    pub media_type: MediaType,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Path of the whole picture on any node. It may be kept for ever.
    #[serde(default)]
    pub url: String,
    /// Path of a small one, at most 320 pixels wide and high.
    #[serde(default)]
    pub thumb_url: String,
}

impl Picture {
    /// With its addresses, which follow from its id.
    #[must_use]
    pub fn with_addresses(self) -> Self {
        let Media { url, thumb_url, .. } =
            Media::of(self.id, MediaKind::Image, self.media_type, [self.width, self.height], 0);
        Self { url, thumb_url, ..self }
    }
}

/// `media.ticket`: leave to send a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct MediaTicket {
    /// Chosen by the client; the same id with the same wish is given a ticket again.
    pub id: MediaId,
    /// What it is for.
    pub kind: MediaKind,
    /// What it is thought to be. What counts is what it turns out to be: names of files are often wrong.
    #[serde(rename = "type")]
    pub media_type: MediaType,
    /// How many bytes will be sent, at most.
    pub bytes: u32,
}

impl MediaTicket {
    /// Refuses what no picture of its kind may be.
    ///
    /// # Errors
    /// `invalid` for none at all, `limit_reached` for too many bytes.
    pub fn check(&self) -> Result<(), Refusal> {
        let most = self.kind.most_bytes();
        match self.bytes {
            0 => Err(Refusal::new(ErrorCode::Invalid, "must be at least 1").field("bytes")),
            bytes if bytes > most => {
                Err(Refusal::new(ErrorCode::LimitReached, format!("at most {most} bytes")).field("bytes"))
            }
            _ => Ok(()),
        }
    }
}

/// `media.get`, `media.delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct MediaRef {
    /// Which.
    pub id: MediaId,
}

/// Result of `media.ticket`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct MediaTicketed {
    /// Path to `PUT` the bytes to, on any node. Whoever has it may: keep it to yourself.
    pub upload: String,
    /// When it runs out.
    pub expires_at: Millis,
    /// The most bytes it is good for.
    pub max_bytes: u32,
    /// The picture, if it has been sent already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub media: Option<Media>,
}

/// Never shows the address, which is a permission (P9).
impl std::fmt::Debug for MediaTicketed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaTicketed")
            .field("expires_at", &self.expires_at)
            .field("max_bytes", &self.max_bytes)
            .field("media", &self.media)
            .finish_non_exhaustive()
    }
}

/// Result of `media.get`, and the answer to a `PUT`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct MediaGot {
    /// As it is.
    pub media: Media,
}

/// Result of `media.delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct MediaDeleted {
    /// What is gone.
    pub id: MediaId,
}
