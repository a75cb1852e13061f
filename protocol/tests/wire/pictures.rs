//! Arbitrary pictures of posts, as [`crate::samples`] for the rest.

use proptest::option::of;
use proptest::prelude::*;
use tidings_protocol::ids::MediaId;
use tidings_protocol::limits::ALT_CHARS;
use tidings_protocol::media::{MediaType, Picture, PictureRef};
use tidings_protocol::text::AltText;

use crate::samples::uuid;

pub fn asked() -> impl Strategy<Value = PictureRef> {
    let alt = of("(\\PC{1,20})?".prop_filter_map("not a description", |text| AltText::parse(text).ok()));
    (uuid(), alt).prop_map(|(id, alt)| PictureRef { id: MediaId(id), alt })
}

pub fn shown() -> impl Strategy<Value = Picture> {
    (uuid(), of(any::<String>()), any::<[u32; 2]>()).prop_map(|(id, alt, [width, height])| {
        let (url, thumb_url) = (String::new(), String::new());
        Picture { id: MediaId(id), alt, media_type: MediaType::Png, width, height, url, thumb_url }.with_addresses()
    })
}

#[test]
fn a_description_has_lines_and_an_end() {
    assert!(AltText::parse("a cat,\nasleep").is_ok() && AltText::parse("").is_ok());
    assert!(AltText::parse("x".repeat(ALT_CHARS)).is_ok());
    for bad in [" \n".to_owned(), "\u{7}".to_owned(), "x".repeat(ALT_CHARS + 1)] {
        assert!(AltText::parse(bad).is_err());
    }
}
