//! What people send, what they should not have sent, and what others made to do harm.

use std::time::{Duration, Instant};

use image::codecs::webp::WebPEncoder;
use image::{GenericImageView, Rgb, RgbImage, Rgba};

use super::*;
use crate::limits::MOVING_FRAMES;

const RED: [u8; 3] = [220, 30, 30];
const BLUE: [u8; 3] = [30, 30, 220];

/// Left half red, right half blue.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| Rgb(if x < width / 2 { RED } else { BLUE }))
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(picture).unwrap();
    bytes
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

fn webp(picture: &RgbaImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (width, height) = picture.dimensions();
    WebPEncoder::new_lossless(&mut bytes).encode(picture, width, height, ExtendedColorType::Rgba8).unwrap();
    bytes
}

/// An EXIF block (TIFF, big-endian) with an orientation, a camera's name and a place on Earth.
fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x03".to_vec();
    block.extend_from_slice(b"\x01\x0f\0\x02\0\0\0\x0a\0\0\0\x32"); // Make, 10 letters at 50.
    block.extend_from_slice(&[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    block.extend_from_slice(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x3c"); // GPS at 60.
    block.extend_from_slice(b"\0\0\0\0");
    block.extend_from_slice(b"SpyCam 3k\0");
    block.extend_from_slice(b"\0\x01\0\x01\0\x02\0\0\0\x02N\0\0\0\0\0\0\0GPSPLACE");
    block
}

/// The same JPEG with a block behind its first marker.
fn with_app1(jpeg: &[u8], block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, block, &jpeg[2..]].concat()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn file(painted: &Painted, variant: Variant) -> &[u8] {
    &painted.files.iter().find(|(known, _)| *known == variant).unwrap().1
}

fn opened(painted: &Painted, variant: Variant) -> DynamicImage {
    image::load_from_memory(file(painted, variant)).unwrap()
}

fn close(pixel: Rgba<u8>, to: [u8; 3]) -> bool {
    pixel.0.iter().zip(to).all(|(have, want)| have.abs_diff(want) < 40)
}

#[test]
fn a_photo_is_turned_upright_and_tells_nothing_of_its_place() {
    let sent = with_app1(&jpeg(&halves(640, 400)), &exif(6));
    assert!(contains(&sent, b"SpyCam") && contains(&sent, b"GPSPLACE"));
    let painted = paint(MediaKind::Image, &sent).unwrap();
    let Picture { media_type, width, height, bytes } = painted.picture;
    assert_eq!((media_type, width, height), (MediaType::Jpeg, 400, 640));
    assert_eq!(bytes as usize, file(&painted, Variant::Full).len());
    for (_, bytes) in &painted.files {
        for trace in [&b"Exif"[..], b"SpyCam", b"GPSPLACE", b"MM\0\x2a"] {
            assert!(!contains(bytes, trace));
        }
    }
    let full = opened(&painted, Variant::Full);
    assert!(close(full.get_pixel(200, 20), RED) && close(full.get_pixel(200, 620), BLUE), "what was left is on top");
    assert_eq!(opened(&painted, Variant::Thumb).dimensions(), (200, 320));
    assert_eq!(opened(&painted, Variant::Tiny).dimensions(), (60, 96));
}

#[test]
fn every_orientation_is_understood() {
    for (orientation, top_left) in [(1, RED), (2, BLUE), (3, BLUE), (4, RED), (5, RED), (6, RED), (7, BLUE), (8, BLUE)]
    {
        let painted = paint(MediaKind::Image, &with_app1(&jpeg(&halves(64, 32)), &exif(orientation))).unwrap();
        let full = opened(&painted, Variant::Full);
        let lying = orientation < 5;
        assert_eq!(full.dimensions(), if lying { (64, 32) } else { (32, 64) }, "{orientation}");
        assert!(close(full.get_pixel(2, 2), top_left), "{orientation}: {:?}", full.get_pixel(2, 2));
    }
}

#[test]
fn a_face_is_cut_square_from_the_middle() {
    let mut wide = RgbImage::from_pixel(900, 600, Rgb(RED));
    for (_, _, pixel) in wide.enumerate_pixels_mut().filter(|(x, ..)| !(150..750).contains(x)) {
        *pixel = Rgb(BLUE);
    }
    let painted = paint(MediaKind::Avatar, &jpeg(&wide)).unwrap();
    for (variant, side) in [(Variant::Full, 512), (Variant::Thumb, 320), (Variant::Tiny, 96)] {
        let opened = opened(&painted, variant);
        assert_eq!(opened.dimensions(), (side, side));
        assert!(close(opened.get_pixel(2, side / 2), RED) && close(opened.get_pixel(side - 3, 2), RED));
    }
}

#[test]
fn small_pictures_are_not_blown_up() {
    let painted = paint(MediaKind::Image, &png(&halves(50, 20).into())).unwrap();
    assert_eq!(painted.picture.media_type, MediaType::Png);
    for variant in Variant::ALL {
        assert_eq!(opened(&painted, variant).dimensions(), (50, 20));
    }
    let dot = paint(MediaKind::Avatar, &png(&halves(1, 9).into())).unwrap();
    assert_eq!(opened(&dot, Variant::Full).dimensions(), (1, 1));
    let thread = paint(MediaKind::Image, &png(&halves(9_000, 1).into())).unwrap();
    assert_eq!((thread.picture.width, thread.picture.height), (4_096, 1));
    assert_eq!(opened(&thread, Variant::Tiny).dimensions(), (96, 1));
}

#[test]
fn what_shows_through_goes_on_showing_through() {
    let glass = RgbaImage::from_pixel(400, 100, Rgba([10, 200, 10, 128]));
    let painted = paint(MediaKind::Image, &webp(&glass)).unwrap();
    assert_eq!(painted.picture.media_type, MediaType::Png);
    for variant in Variant::ALL {
        let Rgba([_, green, _, alpha]) = opened(&painted, variant).get_pixel(5, 5);
        assert!((190..=210).contains(&green) && (120..=136).contains(&alpha), "{green} {alpha}");
    }
    let solid = DynamicImage::from(halves(400, 100)).into_rgba8();
    assert_eq!(paint(MediaKind::Image, &webp(&solid)).unwrap().picture.media_type, MediaType::Jpeg);
}

#[test]
fn deep_colours_and_grey_are_taken() {
    let deep = DynamicImage::from(halves(40, 40)).into_rgb16();
    let grey = DynamicImage::from(halves(40, 40)).into_luma8();
    for picture in [DynamicImage::from(deep), DynamicImage::from(grey)] {
        assert_eq!(paint(MediaKind::Image, &png(&picture)).unwrap().picture.width, 40);
    }
}

#[test]
fn p8_what_hides_in_a_file_stays_behind() {
    let script = b"<script>alert('boo')</script>";
    let tail = b"PK\x03\x04 a whole archive <html><script>alert('boo')</script>";
    let commented = with_app1(&jpeg(&halves(64, 64)), script);
    let mut chunked = png(&halves(64, 64).into());
    // A text chunk right behind the header.
    let chunk = [&[0, 0, 0, 35][..], b"tEXtnotes\0", script].concat();
    let sum = crc32(&chunk[4..]).to_be_bytes();
    chunked.splice(33..33, [&chunk[..], &sum].concat());
    for mut sent in [commented, chunked, moving(3, false)] {
        sent.extend_from_slice(tail);
        assert!(contains(&sent, script));
        let painted = paint(MediaKind::Image, &sent).unwrap();
        for (_, bytes) in &painted.files {
            assert!(!contains(bytes, b"script") && !contains(bytes, b"PK\x03\x04"));
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!0_u32, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1))))
}

/// A moving GIF: a bar that walks to the right, with a comment in it.
fn moving(frames: u16, interlaced: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, 40, 24, &[0, 0, 0, 255, 255, 255, 0, 0, 255, 9, 9, 9]).unwrap();
    encoder.set_repeat(gif::Repeat::Finite(7)).unwrap();
    encoder.write_raw_extension(gif::Extension::Comment.into(), &[b"made by somebody"]).unwrap();
    for frame in 0..frames {
        let rows: Vec<u8> = (0..24).flat_map(|y| (0..40).map(move |x| u8::from(x == frame || y == frame))).collect();
        let order: Vec<usize> = if interlaced {
            [(0, 8), (4, 8), (2, 4), (1, 2)].into_iter().flat_map(|(from, step)| (from..24).step_by(step)).collect()
        } else {
            (0..24).collect()
        };
        let buffer: Vec<u8> = order.iter().flat_map(|row| rows[row * 40..(row + 1) * 40].to_vec()).collect();
        let (dispose, transparent) = (gif::DisposalMethod::Keep, Some(3));
        let shown = gif::Frame {
            width: 40,
            height: 24,
            delay: 5,
            interlaced,
            dispose,
            transparent,
            buffer: buffer.into(),
            ..Default::default()
        };
        encoder.write_frame(&shown).unwrap();
    }
    drop(encoder);
    bytes
}

/// All that is to be seen of a moving picture: each frame's place, time and colours.
fn film(bytes: &[u8]) -> Vec<(u16, u16, Vec<u8>)> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(bytes).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        frames.push((frame.delay, frame.width, frame.buffer.to_vec()));
    }
    assert_eq!(decoder.repeat(), gif::Repeat::Finite(7));
    frames
}

#[test]
fn what_moves_goes_on_moving_and_nothing_else_is_kept() {
    for interlaced in [false, true] {
        let sent = moving(5, interlaced);
        assert!(contains(&sent, b"made by somebody"));
        let painted = paint(MediaKind::Image, &sent).unwrap();
        let Picture { media_type, width, height, .. } = painted.picture;
        assert_eq!((media_type, width, height), (MediaType::Gif, 40, 24));
        let kept = file(&painted, Variant::Full);
        assert!(!contains(kept, b"made by"));
        assert_eq!(film(kept), film(&sent));
        assert_eq!(sniff(file(&painted, Variant::Thumb)), Ok(MediaType::Jpeg), "the small ones stand still");
    }
    let still = paint(MediaKind::Image, &moving(1, false)).unwrap();
    assert_eq!(still.picture.media_type, MediaType::Png);
    let face = paint(MediaKind::Avatar, &moving(5, false)).unwrap();
    assert_eq!((face.picture.media_type, face.picture.width), (MediaType::Jpeg, 24), "a face stands still");
}

#[test]
fn p7_a_small_file_cannot_hold_too_much() {
    let began = Instant::now();
    // 50,000 by 50,000 pixels in a PNG of 100 bytes.
    let mut bomb = png(&halves(8, 8).into());
    bomb[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
    let sum = crc32(&bomb[12..29]).to_be_bytes();
    bomb[29..33].copy_from_slice(&sum);
    assert_eq!(paint(MediaKind::Image, &bomb).err(), Some(Spoilt::Pixels));
    // 65,535 by 65,535 in a JPEG.
    let mut bomb = jpeg(&halves(8, 8));
    let frame = bomb.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    bomb[frame + 5..frame + 9].fill(0xff);
    assert_eq!(paint(MediaKind::Image, &bomb).err(), Some(Spoilt::Pixels));
    // The same in a GIF.
    let mut bomb = moving(2, false);
    bomb[6..10].fill(0xff);
    assert_eq!(paint(MediaKind::Image, &bomb).err(), Some(Spoilt::Pixels));
    // More frames than anybody looks at.
    let endless = moving(u16::try_from(MOVING_FRAMES).unwrap() + 1, false);
    assert_eq!(paint(MediaKind::Image, &endless).err(), Some(Spoilt::Pixels));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// A JPEG of many passes, each of which makes a decoder walk over all of 36 million pixels for some bytes.
#[test]
fn p7_a_jpeg_cannot_be_gone_over_without_end() {
    let mut bomb = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    bomb.extend_from_slice(&[1; 64]);
    bomb.extend_from_slice(&[0xff, 0xc2, 0, 11, 8, 0x17, 0x70, 0x17, 0x70, 1, 1, 0x11, 0]);
    for class in [0x00, 0x10] {
        let mut counts = [0; 16];
        counts[0] = 1;
        bomb.extend_from_slice(&[&[0xff, 0xc4, 0, 20, class][..], &counts, &[0]].concat());
    }
    bomb.extend_from_slice(&[0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0x00, 0, 0, 0, 0]);
    for _ in 0..20_000 {
        bomb.extend_from_slice(&[0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0x00, 0, 0, 0, 0]);
    }
    bomb.extend_from_slice(&[0xff, 0xd9]);
    let began = Instant::now();
    assert_eq!(paint(MediaKind::Image, &bomb).err(), Some(Spoilt::Broken));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn other_files_are_not_taken_whatever_they_are_called() {
    let others: [&[u8]; 10] = [
        b"",
        b"\x89PNG",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
        b"<?xml version=\"1.0\"?><svg/>",
        b"<!doctype html><script>alert(1)</script>",
        b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0",
        b"II*\0\x08\0\0\0",
        b"%PDF-1.7",
        b"\0\0\0\x1cftypavif\0\0\0\0",
        b"MZ\x90\0",
    ];
    for other in others {
        assert_eq!(paint(MediaKind::Image, other).err(), Some(Spoilt::Type), "{other:?}");
    }
}

#[test]
fn what_breaks_off_is_not_taken() {
    let picture = DynamicImage::from(halves(200, 200));
    let sent = [png(&picture), jpeg(&halves(200, 200)), webp(&picture.into_rgba8()), moving(5, false)];
    for sent in sent {
        for part in [20, sent.len() / 2, sent.len() - 40] {
            let spoilt = paint(MediaKind::Image, &sent[..part]).err();
            assert_eq!(spoilt, Some(Spoilt::Broken), "{part} of {} of {:?}", sent.len(), sniff(&sent));
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]
    #[test]
    fn p8_no_bytes_make_a_painter_panic(
        which in 0..4_usize,
        flips in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), 0..=255_u8), 1..12),
        cut in proptest::prelude::any::<proptest::sample::Index>(),
    ) {
        let picture = DynamicImage::from(halves(24, 24));
        let mut sent = match which {
            0 => png(&picture),
            1 => with_app1(&jpeg(&halves(24, 24)), &exif(3)),
            2 => webp(&picture.into_rgba8()),
            _ => moving(3, true),
        };
        for (at, byte) in flips {
            let at = at.index(sent.len());
            sent[at] = byte;
        }
        if let Ok(painted) = paint(MediaKind::Image, &sent) {
            for variant in Variant::ALL {
                proptest::prop_assert!(image::load_from_memory(file(&painted, variant)).is_ok());
            }
        }
        sent.truncate(cut.index(sent.len()));
        let _either = paint(MediaKind::Avatar, &sent);
    }
}
