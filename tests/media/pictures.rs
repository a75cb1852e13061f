//! Pictures to send, good ones and bad ones.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

pub const RED: [u8; 3] = [220, 30, 30];
pub const BLUE: [u8; 3] = [30, 30, 220];

/// Left half red, right half blue, `seed` in a corner.
pub fn halves(width: u32, height: u32, seed: u8) -> RgbImage {
    let mut picture = RgbImage::from_fn(width, height, |x, _| Rgb(if x < width / 2 { RED } else { BLUE }));
    picture.put_pixel(0, 0, Rgb([seed, 0, 0]));
    picture
}

pub fn png(width: u32, height: u32, seed: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::from(halves(width, height, seed)).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

/// A photo as a phone makes it: lying on its side with a note which way is up, the camera's name, and where it was taken.
pub fn photo(width: u32, height: u32) -> Vec<u8> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 90).encode_image(&halves(width, height, 0)).unwrap();
    let mut block = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x03".to_vec();
    block.extend_from_slice(b"\x01\x0f\0\x02\0\0\0\x0a\0\0\0\x32");
    block.extend_from_slice(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0");
    block.extend_from_slice(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x3c");
    block.extend_from_slice(b"\0\0\0\0SpyCam 3k\0");
    block.extend_from_slice(b"\0\x01\0\x01\0\x02\0\0\0\x02N\0\0\0\0\0\0\0GPSPLACE");
    let length = u16::try_from(block.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &block, &jpeg[2..]].concat()
}

/// Says that it has 50,000 by 50,000 pixels.
pub fn bomb() -> Vec<u8> {
    let mut bytes = png(8, 8, 0);
    bytes[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
    let sum = crc32(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&sum);
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!0_u32, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1))))
}

pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
