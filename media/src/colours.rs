//! Bringing a picture to sRGB, so that it may be kept without the colour profile it came with (which can name the device).
//! Must never refuse a picture for its profile: what is not understood is left as it is.

use image::RgbaImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use crate::limits::PROFILE_BYTES;

/// The same picture in sRGB.
pub(crate) fn to_srgb(pixels: RgbaImage, profile: &[u8]) -> RgbaImage {
    if profile.len() > PROFILE_BYTES {
        return pixels;
    }
    let Ok(profile) = ColorProfile::new_from_slice(profile) else {
        return pixels;
    };
    // A profile of another kind of colours belongs to pixels that have been converted already.
    if profile.color_space != DataColorSpace::Rgb {
        return pixels;
    }
    let options = TransformOptions::default();
    let srgb = ColorProfile::new_srgb();
    let Ok(transform) = profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgba, options) else {
        return pixels;
    };
    let mut converted = RgbaImage::new(pixels.width(), pixels.height());
    match transform.transform(pixels.as_raw(), &mut converted) {
        Ok(()) => converted,
        Err(_) => pixels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgba;

    #[test]
    fn a_wide_red_becomes_the_same_red_in_srgb() {
        let pixels = RgbaImage::from_pixel(2, 2, Rgba([200, 100, 100, 77]));
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        let converted = to_srgb(pixels.clone(), &profile);
        let Rgba([red, green, _, alpha]) = *converted.get_pixel(0, 0);
        assert!(red > 205 && green < 100, "more vivid numbers for the same colour: {red} {green}");
        assert_eq!(alpha, 77);
        let srgb = ColorProfile::new_srgb().encode().unwrap();
        assert_eq!(to_srgb(pixels.clone(), &srgb).get_pixel(1, 1), &Rgba([200, 100, 100, 77]));
    }

    #[test]
    fn a_profile_that_makes_no_sense_changes_nothing() {
        let pixels = RgbaImage::from_pixel(2, 2, Rgba([200, 100, 100, 255]));
        let mut cut = ColorProfile::new_display_p3().encode().unwrap();
        cut.truncate(200);
        for profile in [&b""[..], b"acsp", &[0; 4_000], &[255; 70_000], &cut] {
            assert_eq!(to_srgb(pixels.clone(), profile), pixels);
        }
    }
}
