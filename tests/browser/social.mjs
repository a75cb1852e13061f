/**
 * Two people, a third one, and all that is social, in browser windows with a running server.
 *
 *   node social.mjs <url> [folder for screenshots]
 *
 * Prints one line a check; ends with 1 if one failed.
 */
import { strict as assert } from "node:assert";
import { audit } from "./audit.mjs";
import { Checks } from "./checks.mjs";
import { Person, startBrowser } from "./window.mjs";

const [url, folder] = process.argv.slice(2);
if (!url) {
  console.error("usage: node social.mjs <url> [folder for screenshots]");
  process.exit(2);
}
/** Names of this run's own, so that it can be repeated on the same server. */
const run = Date.now().toString(36).slice(-6);
const checks = new Checks(folder);
const check = (what, act) => checks.check(what, act);
const nothingWrong = async (person) => assert.deepEqual(await audit(person.page), []);
/** A page is looked at in the dark and in a narrow window, too. */
const looksGood = async (person, name) => {
  await nothingWrong(person);
  await checks.picture(person.page, name);
  await person.page.emulateMedia({ colorScheme: "dark" });
  await nothingWrong(person);
  await checks.picture(person.page, `${name}-dark`);
  await person.page.emulateMedia({ colorScheme: "light" });
  const wide = person.page.viewportSize();
  await person.page.setViewportSize({ width: 360, height: 740 });
  await nothingWrong(person);
  await checks.picture(person.page, `${name}-narrow`);
  await person.page.setViewportSize(wide);
};
const calm = { reducedMotion: "reduce" };

const browser = await startBrowser();
const ann = await Person.sitsDown(browser, url, `ann_${run}`, calm);
const bob = await Person.sitsDown(browser, url, `bob_${run}`, calm);
const cyd = await Person.sitsDown(browser, url, `cyd_${run}`, calm);
const everybody = [ann, bob, cyd];
const badge = (person) => person.page.locator(".unread-count");

await check("three people sign up; bob follows ann, and she is told by her badge", async () => {
  await Promise.all(everybody.map((person) => person.signsUp()));
  await bob.goes(`#/user/${ann.handle}`);
  await bob.page.getByRole("button", { name: `Follow ${ann.name}` }).click();
  await bob.page.getByRole("button", { name: `Unfollow ${ann.name}` }).waitFor();
  await badge(ann).getByText("1", { exact: true }).waitFor();
});
await check("the notification leads to bob, seen and then read", async () => {
  await ann.page.getByRole("link", { name: /^Notifications/ }).click();
  await ann.page.getByRole("link", { name: `${bob.name} followed you` }).waitFor();
  await looksGood(ann, "notifications");
  await ann.page.getByRole("link", { name: `${bob.name} followed you` }).click();
  await ann.page.getByRole("heading", { name: bob.name, level: 1 }).waitFor();
  await badge(ann).waitFor({ state: "hidden" });
});
await check("what ann writes for her followers bob sees, and cyd, a stranger, does not", async () => {
  await Promise.all([ann.goes("#/home"), bob.goes("#/home"), cyd.goes(`#/user/${ann.handle}`)]);
  await cyd.page.getByRole("heading", { name: ann.name, level: 1 }).waitFor();
  await ann.writes(`among friends ${run}`, { sees: "Followers" });
  await bob.sees(`among friends ${run}`);
  await bob.card(`among friends ${run}`).getByText("For followers").waitFor();
  assert.equal(await bob.card(`among friends ${run}`).getByRole("button", { name: "Repost" }).count(), 0);
  // What is written next, for everybody, has come: so the other one would have, too.
  await ann.writes(`for everybody ${run}`);
  await cyd.sees(`for everybody ${run}`);
  assert.equal(await cyd.text(`among friends ${run}`).count(), 0);
  await nothingWrong(bob);
});
await check("a warning hides the text until it is opened, by keyboard", async () => {
  await ann.writes(`the butler did it ${run}`, { warning: `the end of a film ${run}`, hidden: true });
  const card = bob.card(`the end of a film ${run}`);
  await card.waitFor();
  assert.equal(await bob.text(`the butler did it ${run}`).count(), 0);
  await card.getByRole("button", { name: "Show" }).focus();
  await bob.page.keyboard.press("Enter");
  await bob.sees(`the butler did it ${run}`);
  await card.getByRole("button", { name: "Hide" }).and(bob.page.locator(":focus")).waitFor();
  await looksGood(bob, "home");
});
await check("a hashtag behind letters of any width leads to its page, which is live; a mention leads to the person", async () => {
  await bob.goes("#/global"); // In his home the focus is on a post, so that new ones would wait.
  await ann.writes(`🎉🎉 é #Tide_${run} with @${bob.handle}!`);
  await bob.card(`#Tide_${run}`).getByRole("link", { name: `#Tide_${run}`, exact: true }).click();
  await bob.page.getByRole("heading", { name: `#tide_${run}`, level: 1 }).waitFor();
  await bob.sees(`#Tide_${run}`);
  await ann.writes(`#TIDE_${run} again`);
  await bob.sees(`#TIDE_${run} again`);
  await looksGood(bob, "tag");
  await bob.page.getByRole("link", { name: `@${bob.handle}`, exact: true }).first().click();
  await bob.page.getByRole("heading", { name: bob.name, level: 1 }).waitFor();
});
await check("bob reposts and quotes ann's post; both show it inside, and its number grows for her", async () => {
  await bob.goes("#/home");
  const card = bob.card(`for everybody ${run}`);
  await card.getByRole("button", { name: "Repost" }).click();
  await card.getByRole("button", { name: "Repost now" }).click();
  await cyd.goes("#/global");
  await cyd.page.locator("article", { hasText: "reposted" }).locator(".inside", { hasText: `for everybody ${run}` }).waitFor();
  await bob.card(`for everybody ${run}`).getByRole("button", { name: /^Repost/ }).first().click();
  await bob.card(`for everybody ${run}`).getByRole("button", { name: "Quote" }).click();
  await bob.page.getByLabel("Your words on this post").fill(`hear, hear ${run}`);
  await bob.page.getByRole("button", { name: "Post quote" }).click();
  await cyd.sees(`hear, hear ${run}`);
  await cyd.card(`hear, hear ${run}`).locator(".inside", { hasText: `for everybody ${run}` }).waitFor();
  await ann.goes("#/global");
  await ann.page.locator("article[aria-label='Post by Ann']", { hasText: `for everybody ${run}` }).getByRole("button", { name: "Repost: 2" }).waitFor();
  await looksGood(cyd, "handed-on");
});
const phone = new Person();
await check("bob reacts on his telephone, and sees it on his desk", async () => {
  Object.assign(phone, { handle: bob.handle, name: bob.name, url: bob.url, complaints: bob.complaints });
  phone.context = await browser.newContext({ viewport: { width: 360, height: 740 }, ...calm });
  phone.page = await phone.opensTab();
  await phone.logsIn();
  await bob.goes("#/home");
  await bob.sees(`for everybody ${run}`);
  const there = phone.card(`for everybody ${run}`);
  await there.getByRole("button", { name: "React" }).click();
  await checks.picture(phone.page, "react-narrow");
  await nothingWrong(phone);
  await there.getByRole("button", { name: "Like" }).and(phone.page.locator(":focus")).press("Tab");
  await phone.page.keyboard.press("Enter");
  await there.getByRole("button", { name: "React" }).and(phone.page.locator(":focus")).waitFor();
  const here = bob.card(`for everybody ${run}`).getByRole("button", { name: "Love: 1" });
  await here.waitFor();
  assert.equal(await here.getAttribute("aria-pressed"), "true");
});
await check("bob bookmarks on his desk; the page of bookmarks on his telephone has it at once, and loses it", async () => {
  await phone.goes("#/bookmarks");
  await phone.page.getByText("kept here, for you alone").waitFor();
  const button = bob.card(`for everybody ${run}`).getByRole("button", { name: "Bookmark" });
  await button.click();
  await phone.sees(`for everybody ${run}`);
  await nothingWrong(phone);
  await button.and(bob.page.locator("[aria-pressed=true]")).click();
  await phone.seesNoMore(`for everybody ${run}`);
});
await check("while bob writes a comment, ann, who reads the thread, sees that, and that both are there", async () => {
  await ann.page.locator("article[aria-label='Post by Ann']", { hasText: `for everybody ${run}` }).getByRole("link", { name: "Comments" }).click();
  await ann.page.getByLabel("New comment").waitFor();
  await bob.goes(await ann.page.evaluate(() => location.hash));
  await bob.page.locator(".post.alone").waitFor();
  await bob.page.getByLabel("New comment").pressSequentially("well");
  await ann.page.getByText(`${bob.name} is writing…`).waitFor();
  await ann.page.getByText("2 reading now").waitFor();
  await looksGood(ann, "thread");
  await bob.comments(`a comment ${run}`);
  await ann.sees(`a comment ${run}`);
  await ann.page.getByText(`${bob.name} is writing…`).waitFor({ state: "hidden" });
});
await check("numbers in a thread are live", async () => {
  await cyd.goes(await ann.page.evaluate(() => location.hash));
  await cyd.page.locator(".post.alone").getByRole("button", { name: "React" }).click();
  await cyd.page.locator(".post.alone .choice").getByRole("button", { name: "Party" }).click();
  await ann.page.locator(".post.alone").getByRole("button", { name: "Party: 1" }).waitFor();
});
await check("bob, who follows ann, sees that she is here, and that she went", async () => {
  await bob.goes(`#/user/${ann.handle}`);
  await bob.page.locator(".profile").getByText("Online").waitFor();
  await bob.page.locator('.profile .avatar[data-status="online"]').waitFor();
  await looksGood(bob, "profile");
});
await check("ann pins a post; it stands above the others on her profile", async () => {
  await ann.goes("#/home");
  await ann.card(`for everybody ${run}`).getByRole("button", { name: "More" }).click();
  await ann.card(`for everybody ${run}`).getByRole("button", { name: "Pin", exact: true }).click();
  await bob.page.locator(".pinned .prose", { hasText: `for everybody ${run}` }).waitFor();
});
await check("cyd mutes ann for a day: gone from global, there on her profile, and back when it ends", async () => {
  await cyd.goes("#/global");
  await cyd.sees(`for everybody ${run}`);
  await cyd.goes(`#/user/${ann.handle}`);
  await cyd.page.getByLabel("Mute for how long").selectOption("1 day");
  await cyd.page.getByRole("button", { name: "Mute", exact: true }).click();
  await cyd.page.getByText(/^Muted until/).waitFor();
  await cyd.sees(`for everybody ${run}`);
  await cyd.goes("#/global");
  await cyd.page.locator("article[aria-label='Post by Ann']", { hasText: run }).first().waitFor({ state: "detached" });
  await cyd.goes("#/settings");
  await cyd.page.getByRole("button", { name: `Unmute ${ann.name}` }).waitFor();
  await looksGood(cyd, "settings");
  await cyd.page.getByRole("button", { name: `Unmute ${ann.name}` }).click();
  await cyd.page.getByText("Nobody.").waitFor();
  await cyd.goes("#/global");
  await cyd.page.locator("article[aria-label='Post by Ann']", { hasText: run }).first().waitFor();
});
await check("ann blocks bob: both lose each other at once, and what he quoted of her is not available", async () => {
  await ann.goes(`#/user/${bob.handle}`);
  await ann.page.getByRole("button", { name: "Block", exact: true }).click();
  await ann.page.getByRole("dialog").getByRole("button", { name: "Block" }).click();
  await ann.page.getByText("neither of you sees the other").waitFor();
  await bob.seesNoMore(`for everybody ${run}`);
  await ann.seesNoMore(`hear, hear ${run}`);
  await bob.goes("#/global");
  await bob.sees(`hear, hear ${run}`);
  await bob.page.locator("article[aria-label='Post by Ann']", { hasText: run }).first().waitFor({ state: "detached" });
  await bob.card(`hear, hear ${run}`).getByText("This post is not available.").waitFor();
  await bob.goes(`#/user/${ann.handle}`);
  await bob.page.getByText("There is nobody called").waitFor();
  await nothingWrong(ann);
  await checks.picture(ann.page, "blocked");
  bob.complaints.splice(0, bob.complaints.length, ...bob.complaints.filter((text) => !text.includes("404")));
});
await check("ann undoes it in her settings, and finds bob again", async () => {
  await ann.goes("#/settings");
  await ann.page.getByRole("button", { name: `Unblock ${bob.name}` }).click();
  await ann.page.getByText("Nobody.").waitFor();
  await ann.goes(`#/user/${bob.handle}`);
  await ann.sees(`hear, hear ${run}`);
});
await check("bob ends his telephone's log-in from his desk: it is logged out there and then", async () => {
  await bob.goes("#/settings");
  const others = bob.page.getByRole("list", { name: "Log-ins" }).getByRole("button", { name: /^Log out/ });
  await others.first().waitFor();
  await checks.picture(bob.page, "log-ins");
  phone.lineCut = true;
  await others.first().click();
  await phone.page.getByRole("heading", { name: "Log in" }).waitFor();
  await others.first().waitFor({ state: "detached" });
  bob.complaints.splice(0, bob.complaints.length, ...bob.complaints.filter((text) => !text.includes("status of 4")));
});
await check("a wrong password is refused at its field; the right one is changed", async () => {
  await bob.page.getByLabel("Present password").fill("not my password");
  await bob.page.getByLabel("New password").fill("another long password");
  await bob.page.getByRole("button", { name: "Change password" }).click();
  await bob.page.getByText("That is not your password.").waitFor();
  await bob.page.getByLabel("Present password").and(bob.page.locator(":focus")).fill("a long enough password");
  await bob.page.getByRole("button", { name: "Change password" }).click();
  await bob.page.getByText("Your password is changed.").waitFor();
});
await check("no window has complained", async () => {
  assert.deepEqual(everybody.flatMap(({ complaints }) => complaints), []);
});

await browser.close();
checks.end();
