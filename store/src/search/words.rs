//! How words are compared: what is kept of a text for looking it up, and what a question comes down to. One way for all databases and locales.
//! Must never be used for what is shown: it loses case, width, accents and punctuation on purpose.

use tidings_protocol::limits::QUERY_WORDS;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The words of a text, folded, in their order, with one space between two. A character of a script that is written without spaces is a word
/// of its own.
#[must_use]
pub(crate) fn folded(text: &str) -> String {
    let plain: String =
        text.nfkd().collect::<String>().to_lowercase().nfkd().filter(|c| !is_accent(*c)).nfc().collect();
    let mut words = String::with_capacity(plain.len());
    for c in plain.chars() {
        if stands_alone(c) {
            words.extend([' ', c, ' ']);
        } else if c.is_alphanumeric() || is_combining_mark(c) {
            words.push(if c == 'ς' { 'σ' } else { c });
        } else if !is_joiner(c) {
            words.push(' ');
        }
    }
    words.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Marks of Latin, Greek and Cyrillic letters. Those of other scripts are letters as much as any.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Joins letters to one word and shows nothing.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Kana and ideographs.
const fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3134f}')
}

/// The same for what somebody looks for in posts, in the form of `websearch_to_tsquery`.
///
/// # Errors
/// Why it cannot be looked for.
pub(crate) fn question(query: &str) -> Result<String, &'static str> {
    let mut question = Question::default();
    // A `-` before a quotation stands at the end of what is outside.
    let mut without = false;
    for (nth, part) in query.split('"').enumerate() {
        if nth % 2 == 1 {
            question.asks(&folded(part), std::mem::take(&mut without));
            continue;
        }
        for word in part.split_whitespace() {
            match word {
                "-" => {}
                "or" | "OR" => question.either(),
                _ => question.asks(&folded(word), word.starts_with('-')),
            }
        }
        without = part.ends_with('-') && part.split_whitespace().last() == Some("-");
    }
    question.done()
}

#[derive(Default)]
struct Question {
    parts: Vec<String>,
    words: usize,
    /// Something has to be there.
    is_positive: bool,
}

impl Question {
    /// Words that follow each other, or must not.
    fn asks(&mut self, words: &str, without: bool) {
        if words.is_empty() {
            return;
        }
        self.words += words.split(' ').count();
        self.is_positive |= !without;
        self.parts.push(format!("{}\"{words}\"", if without { "-" } else { "" }));
    }

    fn either(&mut self) {
        self.parts.push("or".to_owned());
    }

    fn done(self) -> Result<String, &'static str> {
        if !self.is_positive {
            return Err("say at least one word that has to be there");
        }
        if self.words > QUERY_WORDS {
            return Err("too many words");
        }
        Ok(self.parts.join(" "))
    }
}

/// The words of a name or handle that somebody looks for, the longest first: it says most.
///
/// # Errors
/// Why it cannot be looked for.
pub(crate) fn tokens(query: &str) -> Result<Vec<String>, &'static str> {
    let mut tokens = name_words(query);
    tokens.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    match tokens.len() {
        0 => Err("say at least the beginning of a word"),
        1..=QUERY_WORDS => Ok(tokens),
        _ => Err("too many words"),
    }
}

/// The words of a name, each once. A handle with `_` in it is one word.
fn name_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for piece in text.split_whitespace() {
        let piece = piece.trim_start_matches('@');
        let whole = piece.contains('_') && piece.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let found = if whole { vec![piece.to_ascii_lowercase()] } else { pieces(piece) };
        for word in found {
            if !words.contains(&word) {
                words.push(word);
            }
        }
    }
    words
}

fn pieces(text: &str) -> Vec<String> {
    folded(text).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The beginning of a hashtag's name, folded as tags are; it may end where no tag ends.
#[must_use]
pub(crate) fn tag_prefix(prefix: &str) -> String {
    let name = prefix.trim().trim_start_matches('#');
    name.nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

/// What somebody can be found by: words, and whether each is of the handle.
#[must_use]
pub(crate) fn of_person(handle: &str, name: &str) -> Vec<(String, bool)> {
    let mut words = vec![(handle.to_owned(), true)];
    words.extend(pieces(handle).into_iter().map(|word| (word, true)));
    words.extend(pieces(name).into_iter().map(|word| (word, false)));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_width_accents_and_punctuation_do_not_count() {
        for (text, words) in [
            ("Hello, WORLD!", "hello world"),
            ("José's café—ＡＢＣ ﬁn", "jose s cafe abc fin"),
            ("ΟΔΥΣΣΕΥΣ Οδυσσεύς", "οδυσσευσ οδυσσευσ"),
            ("ДВЕ ёлки", "две елки"),
            ("İstanbul", "istanbul"),
            ("日本語 и more", "日 本 語 и more"),
            ("हिन्दी में", "हिन्दी में"),
            ("co\u{ad}operate 3.5 #Rust_lang 🎉", "cooperate 3 5 rust lang"),
            ("한국어", "한국어"),
            ("🎉 …", ""),
        ] {
            assert_eq!(folded(text), words.nfc().collect::<String>(), "{text}");
            assert_eq!(folded(&folded(text)), folded(text), "folded once is folded");
        }
    }

    #[test]
    fn a_question_says_what_has_to_be_there_and_what_must_not() {
        for (query, asked) in [
            ("one two", "\"one\" \"two\""),
            ("\"one two\" three", "\"one two\" \"three\""),
            ("one -two", "\"one\" -\"two\""),
            ("one -\"two three\" four", "\"one\" -\"two three\" \"four\""),
            ("one or TWO", "\"one\" or \"two\""),
            ("well-known \"unfinished", "\"well known\" \"unfinished\""),
            ("数据 'quoted' a&b:*", "\"数 据\" \"quoted\" \"a b\""),
        ] {
            assert_eq!(question(query).as_deref(), Ok(asked), "{query}");
        }
        for query in ["-one", "🎉", "\"\"", "or", "-\"one two\""] {
            assert!(question(query).is_err(), "{query}");
        }
        assert!(question(&"a ".repeat(QUERY_WORDS)).is_ok());
        assert!(question(&"a ".repeat(QUERY_WORDS + 1)).is_err());
    }

    #[test]
    fn people_are_found_by_words_of_their_names_and_by_their_handles() {
        let ann = of_person("ann_lee", "Anne-Marie Léwis");
        let words: Vec<_> = ann.iter().map(|(word, handle)| (word.as_str(), *handle)).collect();
        let expected =
            [("ann_lee", true), ("ann", true), ("lee", true), ("anne", false), ("marie", false), ("lewis", false)];
        assert_eq!(words, expected);
        assert_eq!(tokens("@ann_l Lew").unwrap(), ["ann_l", "lew"]);
        assert_eq!(tokens("ab abc").unwrap(), ["abc", "ab"]);
        assert!(tokens("@ !").is_err());
    }
}
