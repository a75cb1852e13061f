/**
 * Owns the telling of checks: one line each, and whether all went well.
 */
import path from "node:path";
import { PATIENCE_MS } from "./window.mjs";

export class Checks {
  #failed = 0;
  #folder;

  /** @param {string | undefined} folder for screenshots; none are taken without */
  constructor(folder) {
    this.#folder = folder;
  }

  async check(what, act) {
    const began = performance.now();
    try {
      await act();
      console.log(`ok    ${what} (${Math.round(performance.now() - began)} ms)`);
    } catch (error) {
      this.#failed += 1;
      console.log(`FAIL  ${what}\n      ${String(error.stack ?? error).split("\n").slice(0, 14).join("\n      ")}`);
    }
  }

  async picture(page, name) {
    if (this.#folder) await page.screenshot({ path: path.join(this.#folder, `${name}.png`) });
  }

  /** Ends the program: with 1 if a check failed. */
  end() {
    console.log(this.#failed === 0 ? "all is well" : `${this.#failed} failed (patience ${PATIENCE_MS} ms)`);
    process.exit(this.#failed === 0 ? 0 : 1);
  }
}
