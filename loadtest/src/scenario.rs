//! Scenarios: those that come with the program and files of one's own, read, overridden by flags, and checked.
//! Must never pass over a key that it does not know: a mistyped rate would be a run of something else.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::flags::{Flags, StepFlags};
use crate::settings::{KEYS, PHASE_KEYS, STEPS_KEYS, Settings};

/// The scenarios that come with the program: name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("small-feeds", include_str!("../scenarios/small-feeds.toml")),
    ("celebrity", include_str!("../scenarios/celebrity.toml")),
    ("hot-thread", include_str!("../scenarios/hot-thread.toml")),
    ("reconnect-storm", include_str!("../scenarios/reconnect-storm.toml")),
    ("idle-hold", include_str!("../scenarios/idle-hold.toml")),
    ("slow-readers", include_str!("../scenarios/slow-readers.toml")),
    ("mixed-day", include_str!("../scenarios/mixed-day.toml")),
    ("knee", include_str!("../scenarios/knee.toml")),
];

/// Where the settings of a run came from, for its report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Of the scenario; empty if there was none.
    pub name: String,
    /// As it was written.
    pub text: String,
    /// What flags made different, as `key = value`.
    pub overrides: Vec<String>,
}

/// Reads a scenario, by name or file, under the flags.
///
/// # Errors
/// In words: no such scenario, a key that there is not, a value it cannot have, or settings that do not fit together.
pub fn settle(scenario: Option<&str>, flags: &Flags, steps: &StepFlags) -> Result<(Settings, Source)> {
    let (name, text) = scenario.map_or_else(|| Ok(Default::default()), find)?;
    let mut table: Table = text.parse().with_context(|| format!("{name} is not TOML"))?;
    check_keys(&table).with_context(|| name.clone())?;
    let overrides = overrule(&mut table, flags, steps)?;
    let settings = Settings::deserialize(table).with_context(|| format!("scenario {name}"))?;
    settings.check()?;
    Ok((settings, Source { name, text, overrides }))
}

/// Name and text of a scenario.
fn find(wanted: &str) -> Result<(String, String)> {
    if let Some((name, text)) = SHIPPED.iter().find(|(name, _)| *name == wanted) {
        return Ok(((*name).to_owned(), (*text).to_owned()));
    }
    let path = Path::new(wanted);
    if path.extension().is_none() && !path.exists() {
        let names = SHIPPED.iter().map(|(name, _)| *name);
        bail!(
            "no scenario `{wanted}`; did you mean `{}`? (`tidings-load scenarios` lists all)",
            nearest(wanted, names)
        );
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {wanted}"))?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or(wanted);
    Ok((stem.to_owned(), text))
}

fn check_keys(table: &Table) -> Result<()> {
    known(table, KEYS, "")?;
    if let Some(steps) = table.get("steps").and_then(Value::as_table) {
        known(steps, STEPS_KEYS, "steps.")?;
    }
    for phase in table.get("phases").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table) {
        known(phase, PHASE_KEYS, "phases.")?;
    }
    Ok(())
}

fn known(table: &Table, keys: &[&'static str], prefix: &str) -> Result<()> {
    if let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) {
        bail!("unknown key `{prefix}{key}`; did you mean `{prefix}{}`?", nearest(key, keys.iter().copied()));
    }
    Ok(())
}

/// The one that is written most alike.
fn nearest<'a>(wrong: &str, right: impl Iterator<Item = &'a str>) -> &'a str {
    let likeness = |name: &&str| strsim::jaro_winkler(wrong, name);
    right.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default()
}

/// Puts the flags in the place of keys, and says what that changed.
fn overrule(table: &mut Table, flags: &Flags, steps: &StepFlags) -> Result<Vec<String>> {
    let mut given = Table::try_from(flags)?;
    let step_keys = Table::try_from(steps)?;
    let mut said = Vec::new();
    for (prefix, (key, value)) in
        given.iter().map(|pair| ("", pair)).chain(step_keys.iter().map(|pair| ("steps.", pair)))
    {
        said.push(format!("{prefix}{key} = {}", serde_json::to_string(value)?));
    }
    if table.contains_key("phases") {
        for key in ["rate", "comments", "reconnects"] {
            ensure!(
                !given.contains_key(key),
                "this scenario's phases have rates of their own, so --{key} would change nothing: use --scale"
            );
        }
        if let Some(seconds) = given.remove("seconds").and_then(|seconds| seconds.as_float()) {
            stretch(table, seconds);
        }
    }
    if steps.steps && !table.contains_key("steps") {
        said.push("steps = true".to_owned());
    }
    if steps.steps || !step_keys.is_empty() {
        let before = table.entry("steps").or_insert_with(|| Value::Table(Table::new()));
        before.as_table_mut().context("`steps` is a table")?.extend(step_keys);
    }
    table.extend(given);
    Ok(said)
}

/// Makes all phases together as long as asked, each keeping its share.
fn stretch(table: &mut Table, seconds: f64) {
    #[expect(clippy::cast_precision_loss, reason = "lengths in seconds")]
    let length = |value: &Value| value.as_float().or(value.as_integer().map(|whole| whole as f64));
    let phases = table.get_mut("phases").and_then(Value::as_array_mut);
    let mut lengths: Vec<&mut Value> =
        phases.into_iter().flatten().filter_map(|phase| phase.as_table_mut()?.get_mut("seconds")).collect();
    let all: f64 = lengths.iter().filter_map(|value| length(value)).sum();
    for value in &mut lengths {
        if let Some(own) = length(value).filter(|_| all > 0.0) {
            **value = Value::Float(own * seconds / all);
        }
    }
}

/// One line for each scenario that comes with the program.
#[must_use]
pub fn list() -> String {
    let line = |(name, text): &(&str, &str)| {
        let table: Table = text.parse().unwrap_or_default();
        let about = table.get("about").and_then(Value::as_str).unwrap_or_default();
        format!("{name:16} {about}\n")
    };
    SHIPPED.iter().map(line).collect()
}

#[cfg(test)]
mod tests;
