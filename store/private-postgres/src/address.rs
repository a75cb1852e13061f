//! How the socket's folder is written where others read it.
//!
//! Pure text; touches no file.

use std::{fmt::Write as _, path::Path};

use crate::places::PORT;

/// The URL of a database, as sqlx and libpq both read it.
pub(crate) fn url(socket_folder: &Path, database: &str) -> String {
    let host = percent_encoded(&socket_folder.to_string_lossy());
    format!("postgres:///{database}?host={host}&port={PORT}&user=postgres")
}

/// `unix_socket_directories` is a list: a path with a comma or a blank needs quotes.
pub(crate) fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.to_string_lossy().replace('"', "\"\""))
}

/// Everything but unreserved characters and `/`, as both sqlx and libpq read it.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte))
            }
            other => write!(encoded, "%{other:02X}").expect("writing to a string cannot fail"),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_characters_of_a_folder_survive_the_url() {
        assert_eq!(
            url(Path::new("/Users/ann/Application Support/a+b"), "tidings"),
            "postgres:///tidings?host=/Users/ann/Application%20Support/a%2Bb&port=5432&user=postgres"
        );
    }

    #[test]
    fn a_list_of_folders_stays_one_folder() {
        assert_eq!(quoted(Path::new("/a, b/\"c")), "\"/a, b/\"\"c\"");
    }
}
