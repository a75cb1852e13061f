//! Who follows whom: a made-up social graph, the same for the same seed.
//! Must never know sockets or ids; people are numbers here.

use std::collections::BTreeSet;

use clap::ValueEnum;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

/// How followers are spread over authors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// The k-th author is followed 1/k as often as the first: what real networks look like.
    Zipf,
    /// All authors alike.
    Uniform,
    /// Everybody follows the first author, and a few others.
    Celebrity,
}

/// For each person, whom they follow.
pub type Follows = Vec<BTreeSet<usize>>;

/// A graph of `people`, of whom the first `authors` write; each follows `each` authors, or all others if there are no more.
#[must_use]
pub fn make(shape: Shape, people: usize, authors: usize, each: usize, seed: u64) -> Follows {
    let mut rng = StdRng::seed_from_u64(seed);
    let weights = running_sums(authors, shape);
    (0..people)
        .map(|person| {
            let others = authors - usize::from(person < authors);
            let wanted = each.min(others);
            let mut follows = BTreeSet::new();
            if shape == Shape::Celebrity && person != 0 && authors > 0 {
                follows.insert(0);
            }
            if wanted == others {
                follows.extend((0..authors).filter(|author| *author != person));
            }
            while follows.len() < wanted {
                let author = pick(&weights, &mut rng);
                if author != person {
                    follows.insert(author);
                }
            }
            follows
        })
        .collect()
}

fn running_sums(authors: usize, shape: Shape) -> Vec<f64> {
    let mut sum = 0.0;
    (1..=authors)
        .map(|rank| {
            #[expect(clippy::cast_precision_loss, reason = "ranks are small")]
            let weight = match shape {
                Shape::Zipf => 1.0 / rank as f64,
                Shape::Uniform | Shape::Celebrity => 1.0,
            };
            sum += weight;
            sum
        })
        .collect()
}

fn pick(sums: &[f64], rng: &mut StdRng) -> usize {
    let all = sums.last().copied().unwrap_or(0.0);
    let at = rng.random::<f64>() * all;
    sums.partition_point(|sum| *sum <= at).min(sums.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followers(follows: &Follows, author: usize) -> usize {
        follows.iter().filter(|set| set.contains(&author)).count()
    }

    #[test]
    fn the_same_seed_makes_the_same_graph() {
        let make = |seed| make(Shape::Zipf, 200, 50, 10, seed);
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
    }

    #[test]
    fn nobody_follows_themselves_and_everybody_follows_as_many_as_asked() {
        for shape in [Shape::Zipf, Shape::Uniform, Shape::Celebrity] {
            let follows = make(shape, 100, 40, 7, 3);
            assert!(follows.iter().enumerate().all(|(person, set)| !set.contains(&person)));
            assert!(follows.iter().all(|set| set.len() == 7), "{shape:?}");
        }
    }

    #[test]
    fn asking_for_more_than_there_are_follows_all() {
        let follows = make(Shape::Uniform, 5, 2, 99, 1);
        assert_eq!(follows[0], BTreeSet::from([1]));
        assert_eq!(follows[4], BTreeSet::from([0, 1]));
    }

    #[test]
    fn a_celebrity_has_everybody_and_zipf_favours_the_first() {
        assert_eq!(followers(&make(Shape::Celebrity, 100, 20, 3, 5), 0), 99);
        let zipf = make(Shape::Zipf, 1000, 100, 3, 5);
        assert!(followers(&zipf, 0) > 5 * followers(&zipf, 90));
    }

    #[test]
    fn one_author_alone_follows_nobody() {
        assert_eq!(make(Shape::Celebrity, 3, 1, 4, 0), [BTreeSet::new(), BTreeSet::from([0]), BTreeSet::from([0])]);
    }
}
