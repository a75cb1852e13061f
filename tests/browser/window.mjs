/**
 * Owns one browser and the windows people look through. What a window complains about (console, CSP, page errors) is a failure.
 */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.TIDINGS_TEST_CHROMIUM ?? process.env.CHROMIUM ?? "/usr/bin/chromium";
/** Everything must be there by then, on a busy machine too. */
export const PATIENCE_MS = 15_000;
/** What a browser says by itself about a line that the test has cut. */
const CUT_LINE = /WebSocket connection to|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/;

export async function startBrowser() {
  if (!existsSync(CHROMIUM)) throw new Error(`no Chromium at ${CHROMIUM}: run \`cargo xtask test\`, or set CHROMIUM to its path`);
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    ],
  });
}

/** One person in front of one window, with cookies and storage of their own. */
export class Person {
  complaints = [];
  /** While the test has cut the line, what the browser says about that is expected. */
  lineCut = false;

  static seats = 0;

  /** `url`: the address of a node, or of several with commas between them: each next person sits down at the next. */
  static async sitsDown(browser, url, handle, options = {}) {
    const person = new Person();
    const nodes = url.split(",");
    person.handle = handle;
    person.name = handle[0].toUpperCase() + handle.slice(1).replace(/_.*/, "");
    person.url = nodes[Person.seats++ % nodes.length];
    person.context = await browser.newContext({ viewport: { width: 1180, height: 820 }, ...options });
    person.page = await person.opensTab();
    return person;
  }

  async opensTab() {
    const page = await this.context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("console", (message) => {
      const text = message.text();
      if (message.type() === "error" && !(this.lineCut && CUT_LINE.test(text))) this.complaints.push(text);
    });
    page.on("pageerror", (error) => this.complaints.push(String(error.stack ?? error)));
    await page.goto(this.url);
    return page;
  }

  /** Goes to a place of the page by its address. */
  async goes(hash) {
    await this.page.evaluate((to) => { location.hash = to; }, hash);
  }

  async signsUp() {
    await this.goes("#/signup");
    await this.page.getByLabel("Handle").fill(this.handle);
    await this.page.getByLabel("Name").fill(this.name);
    await this.page.getByLabel("E-mail address").fill(`${this.handle}@example.org`);
    await this.page.getByLabel("Password").fill("a long enough password");
    await this.page.getByRole("button", { name: "Sign up" }).click();
    await this.page.getByRole("heading", { name: "Home", exact: true }).waitFor();
    await this.isLive();
  }

  async logsIn() {
    await this.goes("#/login");
    await this.page.getByLabel("Handle or e-mail address").fill(this.handle);
    await this.page.getByLabel("Password").fill("a long enough password");
    await this.page.getByRole("button", { name: "Log in" }).click();
    await this.page.getByRole("heading", { name: "Home", exact: true }).waitFor();
    await this.isLive();
  }

  async isLive() {
    await this.page.locator('.sign[data-state="connected"]').waitFor({ state: "attached" });
  }

  async posts(text) {
    await this.page.getByLabel("New post").fill(text);
    await this.page.getByRole("button", { name: "Post", exact: true }).click();
    await this.sees(text);
  }

  /** Posts with all there is to say; from home, where a post of one's own is always shown. `hidden`: by its warning. */
  async writes(text, { sees, warning, hidden = false } = {}) {
    await this.goes("#/home");
    await this.page.getByLabel("New post").fill(text);
    if (sees) await this.page.getByLabel("Who may see it").selectOption(sees);
    if (warning) {
      await this.page.getByRole("button", { name: "Warning" }).click();
      await this.page.getByLabel("Content warning").fill(warning);
    }
    await this.page.getByRole("button", { name: "Post", exact: true }).click();
    if (hidden) await this.card(warning).waitFor();
    else await this.sees(text);
  }

  async comments(text) {
    await this.page.getByLabel("New comment").fill(text);
    await this.page.getByRole("button", { name: "Comment", exact: true }).click();
    await this.sees(text);
  }

  text(text) { return this.page.locator(".prose", { hasText: text }).first(); }
  card(text) { return this.page.locator("article", { hasText: text }).first(); }
  async sees(text) { await this.text(text).waitFor(); }
  async seesNoMore(text) { await this.text(text).waitFor({ state: "detached" }); }
}
