/**
 * Owns putting a text where it can be pasted from. Must never say that it is there when it is not.
 */
import { note } from "./announce.js";

/** @returns {Promise<boolean>} whether it was done; says so either way */
export async function copied(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    note(done);
    return true;
  } catch {
    note("Your browser does not let this page copy. Select the text and copy it by hand.", "bad"); // Without https, or if it was forbidden.
    return false;
  }
}
