//! The settings as a page for people. `docs/configuration.md` is this text; a test holds the two together.

use std::fmt::Write as _;

use super::KEYS;

const OPENING: &str = "# Configuration

<!-- Made from the table in src/config.rs. To make it anew: TIDINGS_TEST_WRITE=1 cargo test -p tidings --lib configuration_page -->

Tidings runs without any configuration. Each setting may stand in a TOML file (`--config FILE` or `TIDINGS_CONFIG`), in the
environment, or on the command line; the later of these wins. A setting that does not exist, or has a value it cannot have, is
refused at the start with its name and its source. Times are written with their unit: `500ms`, `10s`, `5m`, `24h`, `7d`.
Lists are TOML arrays, or parted by commas. Secrets have no flag, because command lines are public on a machine.

```toml
# tidings.toml
listen = \"0.0.0.0:8080\"
allowed_origins = [\"https://example.org\"]
drain_ms = 20000
```

";

/// The page.
#[must_use]
pub fn document() -> String {
    let mut page = OPENING.to_owned();
    page.push_str("| setting | variable | flag | default | meaning |\n|---|---|---|---|---|\n");
    for key in KEYS {
        let flag = match key.secret {
            true => "none (secret)".to_owned(),
            false => format!("`{}`", super::command_line::flag(key.name)),
        };
        let default = match key.default {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let variable = key.name.to_uppercase();
        let meaning = key.meaning.trim();
        // Writing to a string cannot fail.
        let _written = writeln!(page, "| `{}` | `TIDINGS_{variable}` | {flag} | {default} | {meaning} |", key.name);
    }
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn configuration_page_is_as_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
        let page = super::document();
        if std::env::var_os("TIDINGS_TEST_WRITE").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(written, page, "docs/configuration.md is out of date; its first lines say how to make it anew");
    }
}
