//! From what somebody sent to what is shown: looked at, measured, decoded, turned upright, brought to sRGB, cut, and encoded anew in each size.
//! Must never pass on a byte of what was sent: whatever hides in a file (a place, a script, a second file) stays behind. Runs on painters' threads.

use std::io::Cursor;

use bytes::Bytes;
use fast_image_resize::images::ImageRef;
use fast_image_resize::{PixelType, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits, RgbaImage};
use tidings_actors::ports::Picture;
use tidings_protocol::limits::{IMAGE_PIXELS, THUMB_EDGE, TINY_EDGE};
use tidings_protocol::media::{MediaKind, MediaType};

use crate::limits::{AVATAR_EDGE, DECODED_BYTES, JPEG_QUALITY, KEPT_BYTES, KEPT_EDGE};
use crate::{colours, moving};

/// The sizes that are kept of each picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// All of it.
    Full,
    /// At most 320 pixels wide and high.
    Thumb,
    /// At most 96.
    Tiny,
}

impl Variant {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Full, Self::Thumb, Self::Tiny];

    /// As in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Thumb => "320",
            Self::Tiny => "96",
        }
    }

    /// Reads what addresses have.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.name() == name)
    }
}

/// Why what was sent is no picture that can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Spoilt {
    /// None of the types that are taken.
    #[error("not a PNG, JPEG, WebP or GIF")]
    Type,
    /// It breaks off or makes no sense.
    #[error("the picture is damaged")]
    Broken,
    /// More pixels than anybody may be made to decode.
    #[error("the picture has too many pixels")]
    Pixels,
}

impl From<ImageError> for Spoilt {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::Pixels,
            ImageError::Decoding(_)
            | ImageError::Encoding(_)
            | ImageError::Parameter(_)
            | ImageError::Unsupported(_)
            | ImageError::IoError(_) => Self::Broken,
        }
    }
}

/// A picture in all its sizes.
pub(crate) struct Painted {
    /// What the whole picture is.
    pub(crate) picture: Picture,
    /// One file for each variant.
    pub(crate) files: [(Variant, Bytes); 3],
}

/// One encoded file.
pub(crate) struct Encoded {
    pub(crate) media_type: MediaType,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) bytes: Vec<u8>,
}

/// Makes a picture of what was sent.
pub(crate) fn paint(kind: MediaKind, sent: &[u8]) -> Result<Painted, Spoilt> {
    let sent_as = sniff(sent)?;
    let mut canvas = decode(sent_as, sent)?;
    let full = match kind {
        MediaKind::Avatar => {
            canvas.cut_square();
            canvas.shrink(AVATAR_EDGE)?;
            canvas.encode(false)?
        }
        MediaKind::Image => match moving::keep(sent_as, sent)? {
            Some(moving) => moving,
            None => {
                canvas.shrink(KEPT_EDGE)?;
                // What people send as PNG or GIF has sharp edges, which JPEG smears.
                canvas.encode_within(matches!(sent_as, MediaType::Png | MediaType::Gif), KEPT_BYTES)?
            }
        },
    };
    canvas.shrink(THUMB_EDGE)?;
    let thumb = canvas.encode(false)?;
    canvas.shrink(TINY_EDGE)?;
    let tiny = canvas.encode(false)?;
    let picture = Picture {
        media_type: full.media_type,
        width: full.width,
        height: full.height,
        bytes: u32::try_from(full.bytes.len()).map_err(|_| Spoilt::Pixels)?,
    };
    let files = [(Variant::Full, full), (Variant::Thumb, thumb), (Variant::Tiny, tiny)];
    Ok(Painted { picture, files: files.map(|(variant, encoded)| (variant, encoded.bytes.into())) })
}

/// What the first bytes say it is.
pub(crate) fn sniff(bytes: &[u8]) -> Result<MediaType, Spoilt> {
    match image::guess_format(bytes) {
        Ok(ImageFormat::Png) => Ok(MediaType::Png),
        Ok(ImageFormat::Jpeg) => Ok(MediaType::Jpeg),
        Ok(ImageFormat::WebP) => Ok(MediaType::Webp),
        Ok(ImageFormat::Gif) => Ok(MediaType::Gif),
        Ok(_) | Err(_) => Err(Spoilt::Type),
    }
}

const fn format(media_type: MediaType) -> ImageFormat {
    match media_type {
        MediaType::Png => ImageFormat::Png,
        MediaType::Jpeg => ImageFormat::Jpeg,
        MediaType::Webp => ImageFormat::WebP,
        MediaType::Gif => ImageFormat::Gif,
    }
}

/// Decodes the first frame and turns it upright. Its size is looked at before anything is decoded.
fn decode(media_type: MediaType, sent: &[u8]) -> Result<Canvas, Spoilt> {
    if media_type == MediaType::Jpeg && !has_end(sent) {
        return Err(Spoilt::Broken);
    }
    let mut reader = ImageReader::with_format(Cursor::new(sent), format(media_type));
    let mut limits = Limits::default();
    // The pixels themselves, and as much again for what the decoder needs meanwhile.
    limits.max_alloc = Some(2 * DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > IMAGE_PIXELS || decoder.total_bytes() > DECODED_BYTES {
        return Err(Spoilt::Pixels);
    }
    // Damage there is no reason to refuse the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let mut pixels = DynamicImage::from_decoder(decoder)?.into_rgba8();
    // Before the colours: fewer pixels to bring to sRGB.
    if width.max(height) > KEPT_EDGE {
        pixels = shrunk(&pixels, KEPT_EDGE)?;
    }
    if let Some(profile) = profile {
        pixels = colours::to_srgb(pixels, &profile);
    }
    let opaque = pixels.pixels().all(|pixel| pixel.0[3] == u8::MAX);
    let mut upright = DynamicImage::ImageRgba8(pixels);
    upright.apply_orientation(orientation);
    Ok(Canvas { pixels: upright.into_rgba8(), opaque })
}

/// Whether a JPEG's end comes after its pixels begin. The decoder paints the rest of one that breaks off grey, and says nothing.
fn has_end(jpeg: &[u8]) -> bool {
    const END: [u8; 2] = [0xff, 0xd9];
    let mut rest = jpeg.get(2..).unwrap_or_default();
    loop {
        match rest {
            [0xff, 0xff, ..] => rest = &rest[1..],
            // Among pixels, the end's mark is always the end: what looks like it is written otherwise.
            [0xff, 0xda, pixels @ ..] => return pixels.windows(2).any(|mark| mark == END),
            [0xff, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = rest.get(2 + length..).unwrap_or_default();
            }
            // Not written as it should be: the decoder's affair.
            [] => return false,
            _ => return true,
        }
    }
}

/// Decoded pixels.
struct Canvas {
    pixels: RgbaImage,
    opaque: bool,
}

impl Canvas {
    /// Cuts the square in the middle out.
    fn cut_square(&mut self) {
        let (width, height) = self.pixels.dimensions();
        let side = width.min(height);
        if width != height {
            let (left, top) = ((width - side) / 2, (height - side) / 2);
            self.pixels = image::imageops::crop_imm(&self.pixels, left, top, side, side).to_image();
        }
    }

    /// Makes it at most so wide and high; never larger than it was.
    fn shrink(&mut self, edge: u32) -> Result<(), Spoilt> {
        if self.pixels.width().max(self.pixels.height()) > edge {
            self.pixels = shrunk(&self.pixels, edge)?;
        }
        Ok(())
    }

    /// As PNG where that is wanted or something shows through, else as JPEG.
    fn encode(&self, exact: bool) -> Result<Encoded, Spoilt> {
        let (width, height) = self.pixels.dimensions();
        let mut bytes = Vec::new();
        let media_type = if self.opaque && !exact {
            let pixels = self.without_alpha();
            let mut encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
            encoder.encode(&pixels, width, height, ExtendedColorType::Rgb8)?;
            MediaType::Jpeg
        } else {
            let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
            if self.opaque {
                encoder.write_image(&self.without_alpha(), width, height, ExtendedColorType::Rgb8)?;
            } else {
                encoder.write_image(self.pixels.as_raw(), width, height, ExtendedColorType::Rgba8)?;
            }
            MediaType::Png
        };
        Ok(Encoded { media_type, width, height, bytes })
    }

    /// The same, at most so large: what does not fit is made smaller until it does.
    fn encode_within(&mut self, exact: bool, most: usize) -> Result<Encoded, Spoilt> {
        loop {
            let encoded = self.encode(exact)?;
            if encoded.bytes.len() <= most {
                return Ok(encoded);
            }
            self.shrink(encoded.width.max(encoded.height) * 3 / 4)?;
        }
    }

    fn without_alpha(&self) -> Vec<u8> {
        self.pixels.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2]]).collect()
    }
}

/// The same picture at most so wide and high, each side at least one pixel.
fn shrunk(pixels: &RgbaImage, edge: u32) -> Result<RgbaImage, Spoilt> {
    let (width, height) = pixels.dimensions();
    let longest = u64::from(width.max(height));
    let scaled =
        |side: u32| u32::try_from((u64::from(side) * u64::from(edge)).div_ceil(longest)).unwrap_or(edge).max(1);
    let source = ImageRef::new(width, height, pixels.as_raw(), PixelType::U8x4).map_err(|_| Spoilt::Broken)?;
    let mut target = fast_image_resize::images::Image::new(scaled(width), scaled(height), PixelType::U8x4);
    Resizer::new().resize(&source, &mut target, None).map_err(|_| Spoilt::Broken)?;
    RgbaImage::from_raw(target.width(), target.height(), target.into_vec()).ok_or(Spoilt::Broken)
}

#[cfg(test)]
mod tests;
