/**
 * Owns the rule by which a keyword filter matches a text: every client has the same one (PROTOCOL.md). Must never decide what is done about it.
 */

/** What is put between letters so that nobody finds the word. */
const INVISIBLE = /[\u{ad}\u{34f}\u{180b}-\u{180f}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{2064}\u{fe00}-\u{fe0f}\u{feff}\u{e0100}-\u{e01ef}]/gu;
const PART_OF_WORD = /^\p{XID_Continue}$/u;

/**
 * Whether a filter's phrase stands in a text, whatever their case, width and invisible characters.
 * @param {{ phrase: string, whole_word?: boolean }} filter
 * @param {string} text
 */
export function matchesFilter({ phrase, whole_word: wholeWord = false }, text) {
  const wanted = fold(phrase).replace(/^ +| +$/g, "");
  if (wanted === "") return false;
  const folded = fold(text);
  if (!wholeWord) return folded.includes(wanted);
  const letters = [...wanted];
  const goesOn = (inside, beside) => beside !== undefined && PART_OF_WORD.test(inside) && PART_OF_WORD.test(beside);
  // Also where two places overlap.
  for (let at = folded.indexOf(wanted); at >= 0; at = folded.indexOf(wanted, at + 1)) {
    const before = [...folded.slice(Math.max(0, at - 2), at)].at(-1);
    const [after] = folded.slice(at + wanted.length);
    if (!goesOn(letters[0], before) && !goesOn(letters.at(-1), after)) return true;
  }
  return false;
}

/** One form for all ways to write the same. Each character by itself: what stands around it must not matter. */
function fold(text) {
  const caseless = [...text.replace(INVISIBLE, "").normalize("NFKC")].map((letter) => [...letter.toUpperCase()].map((upper) => upper.toLowerCase()).join("")).join("");
  return caseless.normalize("NFKC").replace(/\p{White_Space}+/gu, " ");
}
