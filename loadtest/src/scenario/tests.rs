//! Every scenario that comes with the program can be run, and nobody mistypes a key unnoticed.

use super::*;
use crate::graph::Shape;
use crate::settings::{Phase, Steps};

fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn refusal(text: &str) -> String {
    let (_folder, path) = file(text);
    format!("{:#}", settle(Some(&path), &Flags::default(), &StepFlags::default()).unwrap_err())
}

#[test]
fn every_shipped_scenario_is_whole_and_says_what_it_is_like() {
    for (name, text) in SHIPPED {
        let (settings, source) = settle(Some(name), &Flags::default(), &StepFlags::default()).unwrap();
        assert!(settings.about.len() > 20 && !settings.about.contains('\n'), "{name}");
        assert_eq!((source.name.as_str(), source.text.as_str()), (*name, *text));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), SHIPPED.len(), "a scenario is not in the program");
    assert!(list().lines().count() == SHIPPED.len() && list().contains("celebrity"));
}

#[test]
fn the_lists_of_keys_are_those_of_the_types() {
    let told = |error: toml::de::Error| error.message().to_owned();
    let expected = |keys: &[&str]| keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let wrong: Table = "no_such_key = 1".parse().unwrap();
    let of = |what: &str, keys| format!("unknown field `{what}`, expected one of {}", expected(keys));
    assert_eq!(told(Settings::deserialize(wrong.clone()).unwrap_err()), of("no_such_key", KEYS));
    assert_eq!(told(Steps::deserialize(wrong.clone()).unwrap_err()), of("no_such_key", STEPS_KEYS));
    assert_eq!(told(Phase::deserialize(wrong).unwrap_err()), of("no_such_key", PHASE_KEYS));
}

#[test]
fn an_unknown_key_is_named_with_the_one_that_was_meant() {
    assert!(refusal("conections = 3").contains("unknown key `conections`; did you mean `connections`?"));
    assert!(refusal("[steps]\np99 = 3.0").contains("unknown key `steps.p99`; did you mean `steps.p99_ms`?"));
    let phase = "[[phases]]\nname = \"a\"\nsecond = 3.0";
    assert!(refusal(phase).contains("unknown key `phases.second`; did you mean `phases.seconds`?"));
    let unknown = settle(Some("celebrities"), &Flags::default(), &StepFlags::default()).unwrap_err().to_string();
    assert!(unknown.contains("did you mean `celebrity`?"), "{unknown}");
}

#[test]
fn values_that_cannot_be_are_refused_in_words() {
    assert!(refusal("connections = \"many\"").contains("invalid type: string"));
    assert!(refusal("followers = \"random\"").contains("expected one of `zipf`"));
    assert!(refusal("comments = 3.0").contains("comments need --threads"));
    assert!(refusal("connections = 30\npeople = 1").contains("at least 2 --people"));
    assert!(refusal("slow_readers = 1\nstall_ms = 9000\nconnections = 300").contains("must read at times"));
    assert!(refusal("[steps]\nfactor = 1.0").contains("steps must rise"));
    assert!(refusal("[steps]\n[[phases]]\nname = \"a\"\nseconds = 3.0").contains("not both"));
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let (_folder, path) = file("connections = 50\nrate = 3\nfollowers = \"uniform\"\n[steps]\nfactor = 2.0");
    let flags = Flags { rate: Some(7.0), seed: Some(9), ..Flags::default() };
    let steps = StepFlags { p99_ms: Some(20.0), ..StepFlags::default() };
    let (settings, source) = settle(Some(&path), &flags, &steps).unwrap();
    assert_eq!((settings.connections, settings.rate, settings.seed), (50, 7.0, 9));
    assert_eq!((settings.followers, settings.follows), (Shape::Uniform, Settings::default().follows));
    assert_eq!(settings.steps, Some(Steps { factor: 2.0, p99_ms: 20.0, ..Steps::default() }));
    assert_eq!(source.overrides, ["rate = 7.0", "seed = 9", "steps.p99_ms = 20.0"]);
    assert_eq!(source.name, "mine");
}

#[test]
fn without_a_scenario_flags_alone_decide() {
    let flags = Flags { connections: Some(5), urls: vec!["http://a".to_owned()], ..Flags::default() };
    let (settings, source) = settle(None, &flags, &StepFlags { steps: true, ..StepFlags::default() }).unwrap();
    let steps = Some(Steps::default());
    let expected = Settings { connections: 5, urls: vec!["http://a".to_owned()], steps, ..Settings::default() };
    assert_eq!(settings, expected);
    assert!(source.text.is_empty());
}

#[test]
fn phases_are_scaled_as_a_whole_and_never_flattened() {
    let text = "[[phases]]\nname = \"a\"\nseconds = 10\nrate = 5\n[[phases]]\nname = \"b\"\nseconds = 30.0";
    let (_folder, path) = file(text);
    let flags = Flags { seconds: Some(4.0), ..Flags::default() };
    let (settings, _) = settle(Some(&path), &flags, &StepFlags::default()).unwrap();
    assert_eq!(settings.phases.iter().map(|phase| phase.seconds).collect::<Vec<_>>(), [1.0, 3.0]);
    let flags = Flags { rate: Some(4.0), ..Flags::default() };
    let said = settle(Some(&path), &flags, &StepFlags::default()).unwrap_err().to_string();
    assert!(said.contains("use --scale"), "{said}");
}
