//! Reading the committed files around this crate, and rewriting the generated ones on request.
//! Must never write unless `TIDINGS_UPDATE=1` is set.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A path in the repository.
pub fn in_repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A committed file as text.
pub fn text(path: &str) -> String {
    std::fs::read_to_string(in_repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The entries of `protocol/wire/<name>`.
pub fn golden<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = format!("protocol/wire/{name}");
    let mut file: Value = serde_json::from_str(&text(&path)).expect("golden files are JSON");
    let frames = serde_json::from_value(file["frames"].take());
    let frames: Vec<T> = frames.unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(!frames.is_empty(), "{path} is empty");
    frames
}

/// Fails if a generated file is not what the code says now; with `TIDINGS_UPDATE=1` writes it instead.
pub fn must_equal(path: &str, generated: &str) {
    let place = in_repository(path);
    if std::env::var_os("TIDINGS_UPDATE").is_some_and(|set| set == "1") {
        let folder = place.parent().expect("a file is in a folder");
        std::fs::create_dir_all(folder).expect("the folder can be made");
        std::fs::write(&place, generated).expect("the file can be written");
        return;
    }
    let committed = std::fs::read_to_string(&place).unwrap_or_default();
    let line = generated.lines().zip(committed.lines().chain(std::iter::repeat(""))).position(|(new, old)| new != old);
    assert!(
        committed == generated,
        "{path} is not what the code says (first at line {:?}); run TIDINGS_UPDATE=1 cargo test -p tidings-protocol",
        line.map(|line| line + 1)
    );
}
