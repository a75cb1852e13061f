//! GIFs that move: their frames as they were, in a file of our own, and nothing of what else theirs held (comments, other people's blocks, a tail).
//! Must never hold more than one decoded frame, nor go on beyond what a painter may be asked to do.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, Encoder, Frame, MemoryLimit};
use tidings_protocol::limits::IMAGE_PIXELS;
use tidings_protocol::media::MediaType;

use crate::limits::{KEPT_BYTES, KEPT_EDGE, MOVING_FRAMES, MOVING_PIXELS};
use crate::picture::{Encoded, Spoilt};

/// The picture if it moves; none if it stands still.
pub(crate) fn keep(media_type: MediaType, sent: &[u8]) -> Result<Option<Encoded>, Spoilt> {
    if media_type != MediaType::Gif {
        return Ok(None);
    }
    let mut decoder = open(sent)?;
    let (width, height) = (decoder.width(), decoder.height());
    if width.max(height) > KEPT_EDGE_16 {
        return Ok(None);
    }
    let Some(first) = next(&mut decoder)? else {
        return Err(Spoilt::Broken);
    };
    let mut bytes = Vec::new();
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let mut encoder = Encoder::new(&mut bytes, width, height, &palette).map_err(|_| Spoilt::Broken)?;
    // Said before the first frame, where it is said at all.
    encoder.set_repeat(decoder.repeat()).map_err(|_| Spoilt::Broken)?;
    let (mut frames, mut pixels) = (0, 0);
    let mut frame = Some(first);
    while let Some(shown) = frame {
        frames += 1;
        pixels += u64::from(shown.width) * u64::from(shown.height);
        if frames > MOVING_FRAMES || pixels > MOVING_PIXELS {
            return Err(Spoilt::Pixels);
        }
        encoder.write_frame(&shown).map_err(|_| Spoilt::Broken)?;
        frame = next(&mut decoder)?;
    }
    drop(encoder);
    if frames < 2 {
        return Ok(None);
    }
    if bytes.len() > KEPT_BYTES {
        return Err(Spoilt::Pixels);
    }
    Ok(Some(Encoded { media_type, width: width.into(), height: height.into(), bytes }))
}

#[expect(clippy::cast_possible_truncation, reason = "a constant below 2^16")]
const KEPT_EDGE_16: u16 = KEPT_EDGE as u16;
const _: () = assert!(KEPT_EDGE < 1 << 16);

fn open(sent: &[u8]) -> Result<Decoder<&[u8]>, Spoilt> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    // Frames must lie within the picture.
    options.check_frame_consistency(true);
    options.set_memory_limit(NonZeroU64::new(IMAGE_PIXELS).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    options.read_info(sent).map_err(spoilt)
}

/// The next frame. Where its lines came in another order, they have been put in order.
fn next(decoder: &mut Decoder<&[u8]>) -> Result<Option<Frame<'static>>, Spoilt> {
    Ok(decoder.read_next_frame().map_err(spoilt)?.cloned())
}

fn spoilt(error: DecodingError) -> Spoilt {
    if matches!(error, DecodingError::MemoryLimit) { Spoilt::Pixels } else { Spoilt::Broken }
}
