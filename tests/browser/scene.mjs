/**
 * Owns what every walk through the page begins with: the server's address, names of its own, checks, and what "looks good" means.
 */
import { strict as assert } from "node:assert";
import { audit } from "./audit.mjs";
import { Checks } from "./checks.mjs";
import { Person, startBrowser } from "./window.mjs";

/** A telephone held upright. */
export const NARROW = { width: 390, height: 780 };

/** Reads the program's arguments: `<url>[,<url>…] [folder for screenshots]`. */
export async function scene() {
  const [urls, folder] = process.argv.slice(2);
  if (!urls) {
    console.error("usage: node <walk>.mjs <url> [folder for screenshots]");
    process.exit(2);
  }
  /** A node for programs; people sit down at one after the other. */
  const [url] = urls.split(",");
  const checks = new Checks(folder);
  const browser = await startBrowser();
  const everybody = [];
  const nothingWrong = async (person) => assert.deepEqual(await audit(person.page), []);
  return {
    url, checks, browser, nothingWrong,
    /** Names of this run's own, so that it can be repeated on the same server. */
    run: Date.now().toString(36).slice(-6),
    check: (what, act) => checks.check(what, act),
    picture: (person, name) => checks.picture(person.page, name),
    /** Without motion, where things are is where they stay. */
    sitsDown: async (handle, options = {}) => {
      const person = await Person.sitsDown(browser, urls, handle, { reducedMotion: "reduce", ...options });
      everybody.push(person);
      return person;
    },
    /** Another window of somebody who has an account. */
    sitsDownToo: async (somebody, options = {}) => {
      const person = await Person.sitsDown(browser, urls, somebody.handle, { reducedMotion: "reduce", ...options });
      everybody.push(person);
      await person.logsIn();
      return person;
    },
    /** A page is looked at in the dark and in a narrow window, too. */
    looksGood: async (person, name) => {
      const { page } = person;
      await nothingWrong(person);
      await checks.picture(page, name);
      await page.emulateMedia({ colorScheme: "dark" });
      await nothingWrong(person);
      const wide = page.viewportSize();
      await page.setViewportSize(NARROW);
      await nothingWrong(person);
      await checks.picture(page, `${name}-narrow-dark`);
      await page.emulateMedia({ colorScheme: "light" });
      await nothingWrong(person);
      await page.setViewportSize(wide);
    },
    /** Says what windows complained about, and ends the program. */
    end: async () => {
      await checks.check("no window has complained", () => assert.deepEqual(everybody.flatMap(({ complaints }) => complaints), []));
      await browser.close();
      checks.end();
    },
  };
}
