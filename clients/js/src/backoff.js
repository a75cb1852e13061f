/**
 * Owns how long to wait before coming back: full jitter, so that thousands who lost the same node do not return as one wave.
 */

/** Ceiling of the first wait. */
export const FIRST_MS = 500;
/** Ceiling of all waits. */
export const MOST_MS = 20_000;

/**
 * @param {number} attempt 0 for the first wait
 * @param {() => number} [random] in [0, 1)
 * @returns {number} milliseconds, evenly spread between 0 and a ceiling that doubles from 500 to 20,000
 */
export function backoffMs(attempt, random = Math.random) {
  return Math.round(random() * Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 10)));
}
