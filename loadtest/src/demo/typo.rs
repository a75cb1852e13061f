//! A slip of the finger: two letters in the wrong order, as they happen to people who type fast.
//! Must never change a text's length or its first letters.

use rand::rngs::StdRng;
use rand::seq::IteratorRandom;

/// Words shorter than this are typed right.
const LONG_WORD: usize = 5;

/// The text with two letters inside a long word swapped; the same text if it has none.
pub fn slip_of_the_finger(text: &str, rng: &mut StdRng) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let inside = |place: &usize| {
        let around = letters.get(place.saturating_sub(2)..place + 3);
        *place >= 2
            && around.is_some_and(|around| around.len() == LONG_WORD && around.iter().all(|c| c.is_ascii_lowercase()))
            && letters[*place] != letters[place + 1]
    };
    let place = (0..letters.len()).filter(inside).choose(rng);
    if let Some(place) = place {
        letters.swap(place, place + 1);
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn a_slip_changes_two_neighbours_in_a_long_word() {
        let mut rng = StdRng::seed_from_u64(1);
        let text = "The oven 🍞 makes a new sound";
        let slipped = slip_of_the_finger(text, &mut rng);
        assert_ne!(slipped, text);
        let changed = text.chars().zip(slipped.chars()).filter(|(a, b)| a != b).count();
        assert_eq!((changed, slipped.len()), (2, text.len()));
        for without in ["", "ha", "❤️", "a b c d"] {
            assert_eq!(slip_of_the_finger(without, &mut rng), without);
        }
    }
}
