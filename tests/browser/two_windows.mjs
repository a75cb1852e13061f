/**
 * A conversation of two people in two browser windows with a running server.
 *
 *   node two_windows.mjs <url> [folder for screenshots]
 *
 * Prints one line a check; ends with 1 if one failed.
 */
import { strict as assert } from "node:assert";
import { audit } from "./audit.mjs";
import { Checks } from "./checks.mjs";
import { Person, startBrowser } from "./window.mjs";

const [url, folder] = process.argv.slice(2);
if (!url) {
  console.error("usage: node two_windows.mjs <url> [folder for screenshots]");
  process.exit(2);
}
/** Names of this run's own, so that it can be repeated on the same server. */
const run = Date.now().toString(36).slice(-6);
const checks = new Checks(folder);
const check = (what, act) => checks.check(what, act);
const picture = (person, name) => checks.picture(person.page, name);
const nothingWrong = async (person) => assert.deepEqual(await audit(person.page), []);

const browser = await startBrowser();
// Without motion, where things are is where they stay.
const ann = await Person.sitsDown(browser, url, `ann_${run}`, { reducedMotion: "reduce" });
const bob = await Person.sitsDown(browser, url, `bob_${run}`, { reducedMotion: "reduce" });

await check("a newcomer reads global without an account, and is told what to do", async () => {
  await ann.page.getByRole("link", { name: "Sign up" }).first().waitFor();
  await ann.isLive();
  await nothingWrong(ann);
  await picture(ann, "newcomer");
});
await check("a refused sign-up says why, at its field", async () => {
  await ann.goes("#/signup");
  await ann.page.getByLabel("Handle").fill("9");
  await ann.page.getByLabel("E-mail address").fill(`${ann.handle}@example.org`);
  await ann.page.getByLabel("Password").fill("a long enough password");
  ann.complaints.length = 0;
  await ann.page.getByRole("button", { name: "Sign up" }).click();
  await ann.page.getByText("The handle must be").waitFor();
  assert.equal(await ann.page.getByLabel("Handle").getAttribute("aria-invalid"), "true");
  // A refused request is an error to the browser's console, too.
  ann.complaints = ann.complaints.filter((text) => !text.includes("status of 4"));
  await nothingWrong(ann);
  await picture(ann, "signup");
});
await check("ann signs up through the page", () => ann.signsUp());
await check("an empty home tells what to do", async () => {
  await ann.page.getByRole("link", { name: "Find people in Global" }).waitFor();
  await nothingWrong(ann);
});
await check("bob signs up with the keyboard alone", async () => {
  const keys = bob.page.keyboard;
  await bob.page.getByRole("heading", { level: 1 }).waitFor();
  const focused = () => bob.page.evaluate(() => document.activeElement?.textContent?.trim());
  for (let step = 0; step < 30 && (await focused()) !== "Sign up"; step += 1) await keys.press("Tab");
  await keys.press("Enter");
  await bob.page.getByLabel("Handle").and(bob.page.locator(":focus")).waitFor();
  for (const text of [bob.handle, bob.name, `${bob.handle}@example.org`, "a long enough password"]) {
    await keys.type(text);
    await keys.press("Tab");
  }
  await keys.press("Enter");
  await bob.page.getByRole("heading", { name: "Home", exact: true }).waitFor();
  await bob.isLive();
});

await check("ann posts; bob finds her in global and follows", async () => {
  await ann.posts(`good morning ${run}`);
  await bob.goes("#/global");
  await bob.sees(`good morning ${run}`);
  await bob.card(`good morning ${run}`).getByRole("button", { name: `Follow ${ann.name}` }).click();
  await bob.goes("#/home");
  await bob.sees(`good morning ${run}`);
});
await check("what ann posts appears in bob's home without a reload", async () => {
  await bob.page.evaluate(() => { window.sameDocument = true; });
  await ann.posts(`live ${run} https://example.org/a?b=1.`);
  await bob.sees(`live ${run}`);
  assert.equal(await bob.page.evaluate(() => window.sameDocument), true);
});
await check("links are links, and markup is text", async () => {
  await ann.posts(`<img src=x onerror=alert(1)> javascript:alert(1) ${run}`);
  await bob.sees("<img src=x onerror=alert(1)>");
  const links = await bob.page.locator("#main .prose a").evaluateAll((all) => all.map((a) => [a.href, a.rel]));
  assert.deepEqual(links.filter(([href]) => href.includes("example.org/a")), [["https://example.org/a?b=1", "noopener noreferrer nofollow"]]);
  assert.ok(links.every(([href]) => /^https?:/.test(href)));
});
await check("bob comments; ann, on the post's page, sees it; she answers, he sees that", async () => {
  await ann.card(`live ${run}`).getByRole("link", { name: "Comments" }).click();
  await ann.page.getByLabel("New comment").waitFor();
  await bob.card(`live ${run}`).getByRole("link", { name: "Comments" }).click();
  await bob.comments(`a comment ${run}`);
  await ann.sees(`a comment ${run}`);
  await ann.card(`a comment ${run}`).getByRole("button", { name: "Reply" }).click();
  await ann.page.getByLabel(`Your answer to ${bob.name}`).fill(`an answer ${run}`);
  await ann.page.getByRole("button", { name: "Reply", exact: true }).first().click();
  await bob.sees(`an answer ${run}`);
  assert.equal(await bob.page.locator(".answers .prose", { hasText: `an answer ${run}` }).count(), 1);
});
await check("a deleted comment with answers leaves a place holder in the other window", async () => {
  await bob.card(`a comment ${run}`).getByRole("button", { name: "Delete" }).first().click();
  await bob.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await ann.page.getByText("This comment is not available.").waitFor();
  await ann.sees(`an answer ${run}`);
  await nothingWrong(ann);
  await picture(ann, "thread");
});
await check("ann edits her post; bob sees it", async () => {
  await ann.page.locator(".post.alone").getByRole("button", { name: "Edit" }).click();
  await ann.page.getByLabel("Text of the post").fill(`better ${run}`);
  await ann.page.getByRole("button", { name: "Save" }).click();
  await bob.sees(`better ${run}`);
  await bob.page.locator(".post.alone").getByText("edited").waitFor();
});
await check("posts that come while bob reads wait behind a pill", async () => {
  await ann.goes("#/home");
  for (let number = 0; number < 9; number += 1) await ann.posts(`filling ${number} ${run}\n\nsecond line\nthird line`);
  await bob.goes("#/home");
  await bob.sees(`filling 8 ${run}`);
  await bob.page.evaluate(() => scrollTo(0, 600));
  await bob.page.waitForFunction(() => scrollY > 300);
  const before = await bob.card(`filling 3 ${run}`).boundingBox();
  await ann.posts(`while he reads, one ${run}`);
  await ann.posts(`while he reads, two ${run}`);
  await bob.page.getByRole("button", { name: "2 new posts" }).waitFor();
  assert.deepEqual(await bob.card(`filling 3 ${run}`).boundingBox(), before);
  assert.equal(await bob.text(`while he reads, two ${run}`).count(), 0);
  await nothingWrong(bob);
  await picture(bob, "pill");
  await bob.page.getByRole("button", { name: "2 new posts" }).click();
  await bob.sees(`while he reads, two ${run}`);
  await bob.page.waitForFunction(() => scrollY < 20);
});
await check("going back leads to where one was", async () => {
  await bob.page.evaluate(() => scrollTo(0, 500));
  await bob.page.waitForFunction(() => history.state?.y === 500);
  await bob.card(`filling 4 ${run}`).getByRole("link", { name: "Comments" }).click();
  await bob.page.locator(".post.alone").waitFor();
  await bob.page.getByRole("button", { name: "Back" }).click();
  await bob.sees(`filling 4 ${run}`);
  await bob.page.waitForFunction(() => Math.abs(scrollY - 500) < 5);
  await bob.page.evaluate(() => scrollTo(0, 0));
  await bob.page.waitForFunction(() => history.state?.y === 0);
});
await check("the keys j, k and Enter walk through the posts, n writes", async () => {
  await bob.page.keyboard.press("j");
  await bob.page.keyboard.press("k");
  await bob.card(`while he reads, two ${run}`).and(bob.page.locator(":focus")).waitFor();
  await bob.page.keyboard.press("Enter");
  await bob.page.locator(".post.alone").waitFor();
  await bob.page.keyboard.press("n");
  await bob.page.locator(".writing textarea:focus").waitFor();
  await bob.goes("#/home");
  await bob.sees(`while he reads, two ${run}`);
});
await check("bob loses the line; what happened meanwhile is there when he is back, once", async () => {
  bob.lineCut = true;
  await bob.context.setOffline(true);
  await bob.page.getByText("You are offline").waitFor();
  await picture(bob, "offline");
  for (const number of [1, 2, 3]) await ann.posts(`missed ${number} ${run}`);
  assert.equal(await bob.text(`missed 1 ${run}`).count(), 0);
  await bob.context.setOffline(false);
  await bob.isLive();
  for (const number of [1, 2, 3]) await bob.sees(`missed ${number} ${run}`);
  for (const number of [1, 2, 3]) assert.equal(await bob.page.locator(".prose", { hasText: `missed ${number} ${run}` }).count(), 1);
  bob.lineCut = false;
});
await check("ann deletes a post; it goes in bob's window", async () => {
  await ann.card(`missed 2 ${run}`).getByRole("button", { name: "Delete" }).click();
  await ann.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await bob.seesNoMore(`missed 2 ${run}`);
});
await check("bob's two tabs stay logged in, and log out together", async () => {
  const other = await bob.opensTab();
  await other.getByRole("heading", { name: "Home", exact: true }).waitFor();
  await Promise.all([bob.page.reload(), other.reload()]);
  for (const tab of [bob.page, other]) {
    await tab.locator('.sign[data-state="connected"]').waitFor({ state: "attached" });
    await tab.getByText(`missed 3 ${run}`).first().waitFor();
  }
  await other.getByRole("button", { name: "Log out" }).click();
  await bob.page.getByRole("link", { name: "Log in" }).first().waitFor();
  await other.close();
});
await check("bob logs in again and finds his home", async () => {
  await bob.goes("#/login");
  await bob.page.getByLabel("Handle or e-mail address").fill(bob.handle);
  await bob.page.getByLabel("Password").fill("a long enough password");
  await bob.page.getByRole("button", { name: "Log in" }).click();
  await bob.sees(`missed 3 ${run}`);
});
await check("ann's profile: edited by her, live for bob, who stops following", async () => {
  await bob.goes(`#/user/${ann.handle}`);
  await bob.page.getByRole("heading", { name: ann.name }).waitFor();
  await ann.goes(`#/user/${ann.handle}`);
  await ann.page.getByRole("button", { name: "Edit profile" }).click();
  await ann.page.getByLabel("About you").fill(`Writes at dawn ${run}`);
  await ann.page.getByRole("button", { name: "Save" }).click();
  await bob.sees(`Writes at dawn ${run}`);
  await nothingWrong(bob);
  await picture(bob, "profile");
  await bob.page.getByRole("button", { name: `Unfollow ${ann.name}` }).first().click();
  await bob.page.getByRole("button", { name: `Follow ${ann.name}` }).first().waitFor();
  await bob.goes("#/home");
  await bob.page.getByText("Your home is quiet").waitFor();
});
await check("narrow and dark windows hold the page, and its text can be read", async () => {
  for (const [name, options] of [
    ["narrow", { viewport: { width: 360, height: 740 } }],
    ["dark", { colorScheme: "dark" }],
    ["narrow-dark", { viewport: { width: 360, height: 740 }, colorScheme: "dark", reducedMotion: "reduce" }],
  ]) {
    const guest = await Person.sitsDown(browser, url, "guest", options);
    await guest.sees(`missed 3 ${run}`);
    await nothingWrong(guest);
    await picture(guest, name);
    await guest.goes("#/signup");
    await guest.page.getByLabel("Handle").waitFor();
    await nothingWrong(guest);
    assert.deepEqual(guest.complaints, []);
    await guest.context.close();
  }
});
await check("neither window has complained", async () => {
  assert.deepEqual([...ann.complaints, ...bob.complaints], []);
});

await browser.close();
checks.end();
