//! What the made-up people say while you watch: `phrases.txt`, a small grammar of topics, posts and answers.
//! Must never choose who speaks or when: that is `talk`.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::cast;

const TEXT: &str = include_str!("phrases.txt");

/// One section of the grammar.
#[derive(Default)]
struct Section {
    name: &'static str,
    /// Members who like the topic.
    who: Vec<usize>,
    /// By which a text is known to be about it.
    words: Vec<&'static str>,
    posts: Vec<Template>,
    /// To anything of the topic.
    answers: Vec<&'static str>,
    slots: HashMap<&'static str, Vec<&'static str>>,
}

/// A post with gaps.
struct Template {
    text: &'static str,
    /// To this very post.
    answers: Vec<&'static str>,
}

/// What an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// A post, by whoever.
    Post,
    /// A comment on one's own post.
    Thanks,
    /// A comment in somebody else's thread.
    Agree,
    /// A visitor's first post.
    Welcome,
    /// A visitor's later posts.
    Stranger,
    /// A visitor's comment.
    Answer,
}

/// The grammar.
pub struct Phrases {
    sections: Vec<Section>,
}

impl Phrases {
    /// Reads the grammar.
    ///
    /// # Errors
    /// It is not well formed.
    pub fn read() -> Result<Self> {
        let mut sections: Vec<Section> = Vec::new();
        for line in TEXT.lines().skip_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty()) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                sections.push(Section { name, ..Section::default() });
                continue;
            }
            sections.last_mut().context("a line before the first section")?.take(line)?;
        }
        let phrases = Self { sections };
        for needed in ["any", "thanks", "told", "agree", "wonder", "welcome", "question", "stranger", "answer", "slip"]
        {
            phrases.section(needed).with_context(|| format!("no section `{needed}`"))?;
        }
        ensure!(phrases.topics().count() > 0, "no topics");
        Ok(phrases)
    }

    /// A new post and who is likely to write it.
    pub fn post(&self, rng: &mut StdRng) -> Option<(String, &[usize])> {
        let topics: Vec<&Section> = self.topics().collect();
        let topic = *topics.choose(rng)?;
        Some((topic.fill(topic.posts.choose(rng)?.text, rng), &topic.who))
    }

    /// Something posted by mistake.
    pub fn slip(&self, rng: &mut StdRng) -> Option<String> {
        self.section("slip")?.posts.choose(rng).map(|slip| slip.text.to_owned())
    }

    /// An answer to `text` by somebody whom one calls `you`.
    pub fn answer(&self, occasion: Occasion, text: &str, you: &str, rng: &mut StdRng) -> Option<String> {
        let asked = text.contains('?');
        let general = self.section(match occasion {
            Occasion::Post => "any",
            Occasion::Thanks | Occasion::Answer if asked => "told",
            Occasion::Thanks => "thanks",
            Occasion::Answer => "answer",
            Occasion::Agree if asked => "wonder",
            Occasion::Agree => "agree",
            Occasion::Welcome => "welcome",
            Occasion::Stranger if asked => "question",
            Occasion::Stranger => "stranger",
        })?;
        let mut choices = &general.answers;
        if matches!(occasion, Occasion::Post | Occasion::Stranger)
            && let Some((topic, exact)) = self.about(text)
        {
            // To the point where there is one, and now and then just friendly.
            choices = match (rng.random_range(0..10), exact) {
                (0..7, Some(exact)) => exact,
                (0..9, _) => &topic.answers,
                _ => choices,
            };
        }
        Some(choices.choose(rng)?.replace("{you}", you))
    }

    /// The topic of a text, and the answers to that very text if it is one of ours.
    fn about(&self, text: &str) -> Option<(&Section, Option<&Vec<&'static str>>)> {
        let mut ours = self.topics().flat_map(|topic| topic.posts.iter().map(move |post| (topic, post)));
        let exact = ours.find(|(_, post)| post.may_be(text)).map(|(topic, post)| (topic, Some(&post.answers)));
        exact.or_else(|| self.topic_of(text).map(|topic| (topic, None)))
    }

    fn topic_of(&self, text: &str) -> Option<&Section> {
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
        let hits = |topic: &Section| topic.words.iter().filter(|word| words.contains(word)).count();
        self.topics().max_by_key(|topic| hits(topic)).filter(|topic| hits(topic) > 0)
    }

    fn topics(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(|section| !section.who.is_empty())
    }

    fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }
}

impl Template {
    /// Whether the text is this one with its gaps filled: all that is between the gaps is there, in order.
    fn may_be(&self, text: &str) -> bool {
        let mut rest = text;
        let fixed = self.text.split('{').map(|part| part.split_once('}').map_or(part, |(_, fixed)| fixed));
        fixed.into_iter().all(|fixed| {
            rest.split_once(fixed).is_some_and(|(_, behind)| {
                rest = behind;
                true
            })
        })
    }
}

impl Section {
    fn take(&mut self, line: &'static str) -> Result<()> {
        if let Some(text) = line.strip_prefix("+ ") {
            self.posts.push(Template { text, answers: Vec::new() });
        } else if let Some(text) = line.strip_prefix("- ") {
            self.posts.last_mut().map_or(&mut self.answers, |post| &mut post.answers).push(text);
        } else if let Some(handles) = line.strip_prefix("who: ") {
            let number = |handle| cast::number_of(handle).with_context(|| format!("nobody is called `{handle}`"));
            self.who = handles.split(' ').map(number).collect::<Result<_>>()?;
        } else if let Some(words) = line.strip_prefix("words: ") {
            self.words = words.split(' ').collect();
        } else if let Some((slot, choices)) = line.split_once(" = ") {
            self.slots.insert(slot, choices.split(" | ").collect());
        } else {
            bail!("what is `{line}`?");
        }
        Ok(())
    }

    /// Puts a choice into each slot; the same one where a slot comes twice.
    fn fill(&self, template: &str, rng: &mut StdRng) -> String {
        let mut text = template.to_owned();
        while let Some((before, rest)) = text.split_once('{') {
            let Some((slot, _)) = rest.split_once('}') else { break };
            let Some(choice) = self.slots.get(slot).and_then(|choices| choices.choose(rng)) else { break };
            let filled = text.replace(&format!("{{{slot}}}"), choice);
            debug_assert!(filled.starts_with(before), "a slot changes nothing before it");
            text = filled;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng as _;

    use super::*;

    const EVERY: [Occasion; 6] =
        [Occasion::Post, Occasion::Thanks, Occasion::Agree, Occasion::Welcome, Occasion::Stranger, Occasion::Answer];

    #[test]
    fn every_slot_of_every_phrase_can_be_filled() {
        let phrases = Phrases::read().unwrap();
        let mut rng = StdRng::seed_from_u64(1);
        for section in &phrases.sections {
            assert!(section.name == "slip" || !section.answers.is_empty(), "{}", section.name);
            for template in &section.posts {
                let text = section.fill(template.text, &mut rng);
                assert!(!text.contains(['{', '}']), "{}: {text}", section.name);
                assert!(template.may_be(&text), "{text}");
                let others = phrases.sections.iter().flat_map(|section| &section.posts);
                assert_eq!(others.filter(|other| other.may_be(&text)).count(), 1, "{text}");
            }
            for answer in section.answers.iter().chain(section.posts.iter().flat_map(|post| &post.answers)) {
                assert!(!answer.replace("{you}", "Ann").contains(['{', '}']), "{answer}");
            }
        }
    }

    #[test]
    fn posts_seldom_repeat_and_the_same_seed_says_the_same() {
        let phrases = Phrases::read().unwrap();
        let talk = |seed| -> Vec<String> {
            let mut rng = StdRng::seed_from_u64(seed);
            (0..300).map(|_| phrases.post(&mut rng).unwrap().0).collect()
        };
        assert_eq!(talk(7), talk(7));
        let different: HashSet<String> = talk(7).into_iter().collect();
        assert!(different.len() > 120, "{}", different.len());
    }

    #[test]
    fn answers_are_to_the_point() {
        let phrases = Phrases::read().unwrap();
        let topic = |text| phrases.topic_of(text).map(|topic| topic.name);
        assert_eq!(topic("My first loaf of bread came out of the OVEN today"), Some("bread"));
        assert_eq!(topic("Nineteen herons and a train"), Some("train"));
        assert_eq!(topic("Hello everybody"), None);
        let mut rng = StdRng::seed_from_u64(3);
        let answers: HashSet<String> = (0..200)
            .filter_map(|_| {
                phrases.answer(Occasion::Post, "Who is awake, and why, and is there tea?", "Yuki", &mut rng)
            })
            .collect();
        assert!(answers.contains("Awake. Tea is on."));
        for occasion in EVERY {
            assert!(phrases.answer(occasion, "Is anybody there?", "Ann", &mut rng).is_some(), "{occasion:?}");
        }
        let welcome = phrases.answer(Occasion::Welcome, "hi", "Ann", &mut rng).unwrap();
        assert!(welcome.contains("Ann"), "{welcome}");
    }
}
