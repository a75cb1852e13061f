//! The layers that settings come from, and the refusal that names the layer.
//! Every source is brought to text, so that the same words are good everywhere and a secret of digits stays as it was written.

use std::ffi::OsString;
use std::path::PathBuf;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};

use super::setting::Setting;
use super::{Key, command_line};

const PREFIX: &str = "TIDINGS_";
/// Names the file; no setting of its own.
const FILE_VARIABLE: &str = "TIDINGS_CONFIG";
/// Variables with our prefix that are not ours: Kubernetes sets these for a service named `tidings`, and tests the last.
const FOREIGN: [&str; 3] = ["TIDINGS_PORT", "TIDINGS_SERVICE_", "TIDINGS_TEST_"];
/// Variables known beyond this project.
const PLAIN: [(&str, &str); 2] = [("DATABASE_URL", "database_url"), ("REDIS_URL", "redis_url")];

const ENVIRONMENT: &str = "the environment";
const COMMAND_LINE: &str = "the command line";

/// Why the configuration is not good.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// `--help`, `--version`, or a command line that makes no sense: print it.
    #[error("{0}")]
    CommandLine(clap::Error),
    /// The file cannot be read or is not TOML.
    #[error("configuration file {}: {said}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        said: String,
    },
    /// No such setting.
    #[error("unknown setting `{name}` in {source_name}{hint}")]
    Unknown {
        /// As it was written.
        name: String,
        /// Where.
        source_name: String,
        /// What may have been meant.
        hint: String,
    },
    /// A setting with a value it cannot have.
    #[error("setting `{name}` in {source_name} {said}")]
    Wrong {
        /// As it is written there.
        name: String,
        /// Where.
        source_name: String,
        /// What it must be.
        said: String,
    },
}

/// Settings as texts, by name.
struct Texts(&'static str, Vec<(String, String)>);

impl Provider for Texts {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.0)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let texts = self.1.iter();
        let values = texts.map(|(name, text)| (name.clone(), Value::from(text.clone())));
        Ok(Profile::Default.collect(values.collect::<Dict>()))
    }
}

/// All layers, later ones winning.
pub(super) struct Layers(Figment);

impl Layers {
    pub(super) fn gather(
        args: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFault> {
        let mut flags = command_line::read(args).map_err(ConfigFault::CommandLine)?;
        let (mut plain, mut own, mut file) = (Vec::new(), Vec::new(), None);
        for (variable, text) in environment {
            if variable == FILE_VARIABLE {
                file = Some(text);
            } else if let Some((_, name)) = PLAIN.iter().find(|(plain, _)| *plain == variable) {
                plain.push(((*name).to_owned(), text));
            } else if let Some(name) = own_variable(&variable) {
                own.push((name, text));
            }
        }
        let file = flags.file.take().or(file.map(PathBuf::from));
        let mut layers = Figment::new();
        if let Some(path) = file {
            layers = layers.merge(toml(path)?);
        }
        let layers = layers.merge(Texts(ENVIRONMENT, plain)).merge(Texts(ENVIRONMENT, own));
        Ok(Self(layers.merge(Texts(COMMAND_LINE, flags.settings))))
    }

    /// Refuses the first name that is none of `keys`.
    pub(super) fn refuse_unknown(&self, keys: &[Key]) -> Result<(), ConfigFault> {
        let all: Dict = self.0.extract().unwrap_or_default();
        let Some(name) = all.keys().find(|name| !keys.iter().any(|key| key.name == **name)) else {
            return Ok(());
        };
        let nearest = keys.iter().min_by_key(|key| distance(key.name, name));
        let hint =
            nearest.filter(|key| distance(key.name, name) <= 2).map(|key| format!("; did you mean `{}`?", key.name));
        Err(ConfigFault::Unknown {
            name: self.written(name),
            source_name: self.source(name),
            hint: hint.unwrap_or_default(),
        })
    }

    /// One setting, from the highest layer that has it.
    pub(super) fn setting<T: Setting>(&self, name: &str, default: &str) -> Result<T, ConfigFault> {
        let Ok(value) = self.0.find_value(name) else {
            return T::parse(default).map_err(|said| self.wrong(name, said));
        };
        let text = text_of(&value)
            .ok_or_else(|| self.wrong(name, "must be a text, a number, a yes or no, or a list of such".into()))?;
        T::parse(&text).map_err(|said| {
            let said = if T::SECRET { said } else { format!("{said}, not `{text}`") };
            self.wrong(name, said)
        })
    }

    /// The refusal of a value.
    pub(super) fn wrong(&self, name: &str, said: String) -> ConfigFault {
        ConfigFault::Wrong { name: self.written(name), source_name: self.source(name), said }
    }

    fn source(&self, name: &str) -> String {
        let Some(metadata) = self.0.find_metadata(name) else {
            return "the defaults".to_owned();
        };
        match &metadata.source {
            Some(Source::File(path)) => path.display().to_string(),
            Some(other) => other.to_string(),
            None => metadata.name.to_string(),
        }
    }

    /// The name as it is written in its source.
    fn written(&self, name: &str) -> String {
        match self.0.find_metadata(name).map(|metadata| metadata.name.as_ref()) {
            Some(ENVIRONMENT) => format!("{PREFIX}{}", name.to_uppercase()),
            Some(COMMAND_LINE) => command_line::flag(name),
            _ => name.to_owned(),
        }
    }
}

/// The setting that a variable is meant for, if it is meant for us.
fn own_variable(variable: &str) -> Option<String> {
    let foreign = FOREIGN.iter().any(|start| variable.starts_with(start));
    let name = variable.strip_prefix(PREFIX)?;
    (!foreign).then(|| name.to_lowercase())
}

/// A file that is there and is TOML.
fn toml(path: PathBuf) -> Result<impl Provider, ConfigFault> {
    if let Err(cause) = std::fs::File::open(&path) {
        return Err(ConfigFault::File { said: cause.to_string(), path });
    }
    let provider = Toml::file_exact(&path);
    match provider.data() {
        Ok(_) => Ok(provider),
        Err(fault) => Err(ConfigFault::File { said: fault.kind.to_string(), path }),
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Bool(_, yes) => Some(yes.to_string()),
        Value::Num(_, number) => number
            .to_u128()
            .map(|number| number.to_string())
            .or_else(|| number.to_i128().map(|number| number.to_string()))
            .or_else(|| number.to_f64().map(|number| number.to_string())),
        Value::Array(_, items) => {
            let items: Option<Vec<String>> = items.iter().map(text_of).collect();
            Some(items?.join(","))
        }
        Value::Char(..) | Value::Empty(..) | Value::Dict(..) => None,
    }
}

/// How many letters must be changed, added or removed to make one name of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let swap = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = swap.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
