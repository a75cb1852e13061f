//! What is a tag or a mention and what is not, by example and for any text at all.

use proptest::prelude::*;

use super::*;

/// What was found, as it stands in the text.
fn found(text: &str) -> Vec<String> {
    let spans = find(text);
    let tags = spans.tags.iter().map(|span| (span.start, format!("#{}", span.tag)));
    let mentions = spans.mentions.iter().map(|span| (span.start, format!("@{}", span.handle)));
    let mut all: Vec<(u32, String)> = tags.chain(mentions).collect();
    all.sort();
    all.into_iter().map(|(_, what)| what).collect()
}

fn slice(text: &str, start: u32, end: u32) -> String {
    let (start, end) = (usize::try_from(start).unwrap(), usize::try_from(end).unwrap());
    text.chars().skip(start).take(end - start).collect()
}

#[test]
fn tags_and_mentions_are_found_where_they_stand() {
    let text = "Grüße an @Ann und @bob_2: #Größe, #rust!";
    let spans = find(text);
    let tags: Vec<_> =
        spans.tags.iter().map(|span| (slice(text, span.start, span.end), span.tag.to_string())).collect();
    assert_eq!(tags, [("#Größe".to_owned(), "größe".to_owned()), ("#rust".into(), "rust".into())]);
    let mentions = spans.mentions.iter().map(|span| (slice(text, span.start, span.end), span.handle.as_str()));
    assert_eq!(mentions.collect::<Vec<_>>(), [("@Ann".to_owned(), "ann"), ("@bob_2".into(), "bob_2")]);
    assert_eq!((spans.mentions[0].start, spans.mentions[0].end), (9, 13), "counted in characters, not bytes");
}

#[test]
fn all_scripts_have_tags() {
    for (text, tag) in [
        ("#привет", "#привет"),
        ("#ПРИВЕТ", "#привет"),
        ("#日本語タグ", "#日本語タグ"),
        ("#한국어", "#한국어"),
        ("#हिन्दी", "#हिन्दी"),
        ("#ภาษาไทย", "#ภาษาไทย"),
        ("#שָׁלוֹם", "#שָׁלוֹם"),
        ("#日本（東京）", "#日本"),
        ("＃wide", "#wide"),
        ("#ｆｕｌｌ", "#full"),
        ("#2026goals", "#2026goals"),
        ("#_private", "#_private"),
        ("#ΟΔΟΣ", "#οδος"),
        ("#cafe\u{301}", "#caf\u{e9}"),
        ("#x² ", "#x"),
    ] {
        assert_eq!(found(text), [tag], "{text}");
    }
}

#[test]
fn invisible_characters_make_no_other_tag() {
    let plain = Tag::parse("می\u{200c}خواهم").unwrap();
    assert_eq!(plain, Tag::parse("میخواهم").unwrap());
    assert_eq!(Tag::parse("ru\u{200d}st\u{fe0f}"), Tag::parse("rust"));
    let text = "#می\u{200c}خواهم\u{200c}.";
    let span = find(text).tags[0];
    assert_eq!((span.tag, span.start, span.end), (plain, 0, 9), "a joiner at the end does not belong to it");
}

#[test]
fn what_only_looks_like_a_tag_is_none() {
    let looks = "a#b|5#b|é#b|##b|#|# b|#1|#2026|#٢٠٢٦|#__|#!|&#39;|&#x27;|$#a|/#a|http://x.org/#frag|\
                 https://x.org/a(#b|see WWW.x.org/?q=(#b|x.org/#b|x.org#b|#http://x|#\u{301}a|#️⃣|#😀|C#|\
                 日本#語|a+ftp://x?(#b";
    for text in looks.split('|') {
        assert_eq!(find(text), Spans::default(), "{text}");
    }
}

#[test]
fn what_only_looks_like_a_mention_is_none() {
    let looks = "x@y.org|@|@ ann|@an|@1ann|@_ann|@annä|@ann@example.org|@@ann|https://x.org/@ann|\
                 ftp://ann:secret@ann.org|ä@ann|@abcdefghijklmnopqrstuvwxyz_1234|@ann://|&@ann";
    for text in looks.split('|') {
        assert_eq!(find(text), Spans::default(), "{text}");
    }
}

#[test]
fn punctuation_does_not_matter() {
    for text in [
        "(@ann)",
        ".@ann",
        "@ann's",
        "@ann.",
        "@ann, @ann",
        "RT:@ann",
        "*@ann*",
        "ありがとう@annさん",
        "@ann님",
        "\n@ann\n",
    ] {
        assert_eq!(found(text)[0], "@ann", "{text}");
    }
    for text in
        ["(#rust)", "#rust.", "#rust's", "-#rust-", "\"#rust\"", "#rust#go", "\u{2014}#rust\u{2014}", "#rust\u{200d}"]
    {
        assert_eq!(found(text), ["#rust"], "{text}");
    }
    assert_eq!(found("http://x.org/#a #b"), ["#b"], "an address ends");
    assert_eq!(found("<http://x.org/#a>#b"), ["#b"]);
    assert_eq!(found("「http://x.org/#a」#b"), ["#b"]);
    assert_eq!(found("http:/ #a www. #b www.#c"), ["#a", "#b"]);
}

#[test]
fn a_tag_has_62_bytes_when_folded() {
    let longest = "é".repeat(31);
    assert_eq!(Tag::parse(&longest).unwrap().as_str(), longest);
    assert_eq!(Tag::parse(&longest.to_uppercase()).unwrap().as_str(), longest);
    assert_eq!(Tag::parse(&format!("{longest}a")), Err(BadTag));
    assert_eq!(find(&format!("#{longest}a")), Spans::default(), "not cut: it would be another tag");
    // Two bytes that become three in lower case; two characters that become one.
    assert_eq!(Tag::parse(&"\u{23a}".repeat(21)), Err(BadTag));
    assert_eq!(Tag::parse(&"e\u{301}".repeat(31)).unwrap().as_str(), longest);
    assert_eq!(Tag::parse(&"\u{1100}\u{1161}\u{11a8}".repeat(100)), Err(BadTag));
}

#[test]
fn of_each_the_first_twenty_count() {
    let text: String = (0..30).map(|n| format!("#t{n} @ann{n} ")).collect();
    let spans = find(&text);
    assert_eq!((spans.tags.len(), spans.mentions.len()), (TAGS_PER_TEXT, MENTIONS_PER_TEXT));
    assert_eq!(spans.tags[19].tag.as_str(), "t19");
    assert_eq!(spans.mentions[19].handle, "ann19");
}

/// Would take hours if it took more than one walk.
#[test]
fn long_texts_are_walked_over_once() {
    for part in ["#", "@", "#a", "@ann", "#\u{200c}", "#a\u{200c}", "a://", "www.", "w", "#a ", "://", "#\u{fdfa}"] {
        let text = part.repeat(300_000);
        assert!(find(&text).tags.len() <= TAGS_PER_TEXT, "{part}");
        assert!(Tag::parse(&text).is_err(), "{part}");
    }
}

#[test]
fn on_the_wire_a_tag_is_its_folded_name() {
    let tag: Tag = serde_json::from_str("\"RuSt\"").unwrap();
    assert_eq!(serde_json::to_string(&tag).unwrap(), "\"rust\"");
    assert_eq!(format!("{tag:?}"), "Tag(4 bytes)", "what people write does not reach logs");
    for wrong in ["\"\"", "\"#rust\"", "\"a b\"", "\"1\"", "\"a-b\"", "1", "null"] {
        assert!(serde_json::from_str::<Tag>(wrong).is_err(), "{wrong}");
    }
}

/// Texts in which something is likely to be found.
fn lively() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("#".to_owned()),
        Just("@".to_owned()),
        Just("://".to_owned()),
        Just(" ".to_owned()),
        "\\PC{0,3}",
        "[a-zA-Z0-9_]{1,8}",
        "[\\p{L}\\p{M}\\p{N}\u{200c}\u{200d}\u{fe0f}]{1,8}",
    ];
    proptest::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn spans_lie_in_order_within_any_text(text in prop_oneof![lively(), any::<String>()]) {
        let spans = find(&text);
        let tags = spans.tags.iter().map(|span| (span.start, span.end));
        let mut places: Vec<(u32, u32)> = tags.chain(spans.mentions.iter().map(|span| (span.start, span.end))).collect();
        places.sort_unstable();
        prop_assert!(places.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        prop_assert!(places.last().is_none_or(|&(_, end)| usize::try_from(end).unwrap() <= text.chars().count()));
        for span in &spans.tags {
            let written = slice(&text, span.start, span.end);
            prop_assert_eq!(Tag::parse(written.trim_start_matches(is_hash)), Ok(span.tag));
        }
        for span in &spans.mentions {
            let written = slice(&text, span.start, span.end);
            prop_assert_eq!(written.trim_start_matches(is_at).to_ascii_lowercase(), span.handle.clone());
        }
    }

    #[test]
    fn folding_twice_is_folding_once(name in "[\\p{L}\\p{M}\\p{N}_\u{200c}\u{200d}\u{fe0f}]{1,20}") {
        if let Ok(tag) = Tag::parse(&name) {
            prop_assert_eq!(Tag::parse(tag.as_str()), Ok(tag));
            prop_assert!(tag.as_str().len() <= TAG_BYTES);
            let found = find(&format!("({tag}) #{tag}!"));
            prop_assert_eq!(found.tags.len(), 1);
            prop_assert_eq!(found.tags[0].tag, tag);
        }
    }

    #[test]
    fn any_name_is_a_tag_or_refused(name in any::<String>()) {
        if let Ok(tag) = Tag::parse(&name) {
            prop_assert_eq!(Tag::parse(tag.as_str()), Ok(tag));
        }
    }
}
