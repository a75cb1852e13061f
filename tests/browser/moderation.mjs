/**
 * Reports, cases, what moderators do and what is said against it, in browser windows with a running server.
 *
 *   node moderation.mjs <url> [folder for screenshots]
 *
 * `TIDINGS_MAKE_MODERATOR` is a command as a JSON list, in which `{}` stands for a handle.
 */
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { scene } from "./scene.mjs";

const { run, check, looksGood, sitsDown, end } = await scene();
const ann = await sitsDown(`ann_${run}`);
const bob = await sitsDown(`bob_${run}`);
const mod = await sitsDown(`mod_${run}`);
const eve = await sitsDown(`eve_${run}`);
const boss = await sitsDown(`boss_${run}`);
/** The server's program knows all settings that begin with its name, and this is none. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TIDINGS_")));
/** The case this is about; others may be there from an earlier run. */
const caseOf = (person) => person.page.locator(".case", { hasText: `cheap watches ${run}` });
const [program, ...given] = JSON.parse(process.env.TIDINGS_MAKE_MODERATOR ?? "[]");
const gives = (one, role) => execFileSync(program, given.map((word) => ({ "{}": one.handle, moderator: role })[word] ?? word), { env });

await check("two moderators are made; they find the page of cases", async () => {
  await Promise.all([ann, bob, mod, eve].map((person) => person.signsUp()));
  for (const one of [mod, eve]) gives(one, "moderator");
  for (const one of [mod, eve]) {
    await one.page.reload();
    await one.page.getByRole("link", { name: "Moderation" }).click();
    await one.page.getByRole("heading", { name: "Moderation", level: 1 }).waitFor();
  }
});
await check("ann reports bob's post; both moderators see the case at once, one sees to it", async () => {
  await bob.writes(`cheap watches ${run}`);
  await ann.goes("#/global");
  await ann.card(`cheap watches ${run}`).getByRole("button", { name: "More" }).click();
  await ann.card(`cheap watches ${run}`).getByRole("button", { name: "Report…" }).click();
  await ann.page.getByLabel("Advertising, fraud").check();
  await ann.page.getByLabel("What moderators should know").fill("third time today");
  await looksGood(ann, "report");
  await ann.page.getByRole("button", { name: "Send the report" }).click();
  await ann.page.getByText("Thank you.").waitFor();
  for (const one of [mod, eve]) await one.sees(`cheap watches ${run}`);
  await caseOf(mod).getByRole("button", { name: "I see to it" }).click();
  await caseOf(eve).getByText(`${mod.name} sees to it.`).waitFor();
  await caseOf(mod).getByText("Reports, and what it says now").click();
  await caseOf(mod).getByText("third time today").waitFor();
  await looksGood(mod, "case");
});
await check("the post is hidden with a reason: it goes from ann's window, bob is told why, ann what came of it", async () => {
  await caseOf(mod).getByRole("button", { name: "Act…" }).click();
  await mod.page.getByLabel("What to do").selectOption({ label: "Hide it: only its author and moderators see it" });
  await mod.page.getByLabel("What they are told besides").fill("No advertising here, please.");
  await looksGood(mod, "act");
  await mod.page.getByRole("button", { name: "Do it" }).click();
  await ann.seesNoMore(`cheap watches ${run}`);
  await caseOf(eve).waitFor({ state: "detached" });
  await ann.goes("#/settings");
  await ann.page.getByText("Something was done about it.").waitFor();
  await bob.goes("#/settings");
  await bob.page.getByText("Your post was hidden").waitFor();
  await bob.page.getByText("No advertising here, please.").waitFor();
});
await check("bob appeals; another moderator accepts, and the post is back", async () => {
  await bob.page.getByText("Appeal, once").click();
  await bob.page.getByLabel("Why it should be taken back").fill("They are my grandfather's.");
  await looksGood(bob, "appeal");
  await bob.page.getByRole("button", { name: "Send the appeal" }).click();
  await caseOf(eve).getByText("They are my grandfather's.").waitFor();
  await caseOf(mod).getByText("Another moderator has to decide.").waitFor();
  await looksGood(eve, "appealed");
  await caseOf(eve).getByRole("button", { name: "Accept the appeal" }).click();
  await bob.page.getByText("Your appeal was accepted.").waitFor();
  await ann.goes("#/global");
  await ann.sees(`cheap watches ${run}`);
});
await check("bob is suspended from his profile: he may read and not write, and is told until when", async () => {
  await mod.goes(`#/user/${bob.handle}`);
  await mod.page.getByRole("button", { name: "Moderate…" }).click();
  await mod.page.getByLabel("What to do").selectOption({ label: "Suspend: they may read, and nothing else" });
  await mod.page.getByRole("button", { name: "Do it" }).click();
  await mod.page.getByText("Done. They are told why").waitFor();
  await bob.goes("#/settings");
  await bob.page.getByText("You are suspended").first().waitFor();
  await bob.goes("#/home");
  await bob.page.locator(".writing").getByText(/^You are suspended until/).waitFor();
  await looksGood(bob, "suspended");
  await bob.page.getByLabel("New post").fill("hello?");
  await bob.page.getByRole("button", { name: "Post", exact: true }).click();
  await bob.page.getByRole("alert").filter({ hasText: "may not" }).first().waitFor();
  assert.equal(await bob.page.getByLabel("New post").inputValue(), "hello?");
});
await check("suspended, bob reads, takes back what he did, and is told before he writes a comment", async () => {
  await ann.writes(`tea at four ${run}`);
  await bob.goes("#/global");
  await bob.sees(`tea at four ${run}`);
  await bob.card(`tea at four ${run}`).getByRole("link", { name: "Comments" }).click();
  await bob.page.getByText(/^You are suspended until/).waitFor();
  await bob.goes("#/global");
  await bob.card(`cheap watches ${run}`).getByRole("button", { name: "Delete" }).click();
  await bob.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await bob.seesNoMore(`cheap watches ${run}`);
});
await check("he appeals against it; another moderator says no, and he is told; after a word of the first he writes again", async () => {
  await bob.page.reload();
  await bob.page.getByRole("link", { name: "Why, and what you can do" }).first().click();
  const suspension = bob.page.getByRole("list", { name: "What moderators did" }).getByRole("listitem").filter({ hasText: "You are suspended" });
  await suspension.getByText("Appeal, once").click();
  await suspension.getByLabel("Why it should be taken back").fill("It will not happen again.");
  await suspension.getByRole("button", { name: "Send the appeal" }).click();
  const told = eve.page.locator(".case", { hasText: "It will not happen again." });
  await told.getByRole("button", { name: "Reject the appeal" }).click();
  await bob.page.getByText("Your appeal was rejected.").waitFor();
  await mod.goes(`#/user/${bob.handle}`);
  await mod.page.getByRole("button", { name: "Moderate…" }).click();
  await mod.page.getByLabel("What to do").selectOption({ label: "Reinstate: suspension or ban is over" });
  await mod.page.getByRole("button", { name: "Do it" }).click();
  await bob.goes("#/home");
  await bob.page.locator(".writing").getByText(/^You are suspended/).waitFor({ state: "hidden" });
  await bob.page.getByLabel("New post").fill(`thank you ${run}`);
  await bob.page.getByRole("button", { name: "Post", exact: true }).click();
  await bob.sees(`thank you ${run}`);
});
await check("an admin makes ann a moderator, who finds the page of cases without a reload, and takes it away again", async () => {
  await boss.signsUp();
  gives(boss, "admin");
  await boss.page.reload();
  await boss.goes(`#/user/${ann.handle}`);
  await boss.page.getByRole("button", { name: "Make a moderator" }).click();
  await boss.page.getByText(`${ann.name} moderates from now on.`).waitFor();
  await ann.page.getByRole("link", { name: "Moderation" }).click();
  await ann.page.getByRole("heading", { name: "Moderation", level: 1 }).waitFor();
  assert.equal(await ann.page.getByRole("link", { name: "Log", exact: true }).count(), 0);
  await boss.page.getByRole("button", { name: "Take moderation away" }).click();
  await boss.page.getByRole("button", { name: "Make a moderator" }).waitFor();
  await ann.page.getByRole("link", { name: "Moderation" }).waitFor({ state: "detached" });
  await ann.page.getByText("You do not moderate here.").waitFor();
});
await check("the admin's log tells all of it, the newest first, each with the hash that seals those before", async () => {
  await boss.page.getByRole("link", { name: "Moderation" }).click();
  await boss.page.getByRole("link", { name: "Log", exact: true }).click();
  const lines = boss.page.locator(".log-line");
  await lines.first().waitFor();
  const acts = await lines.locator("b").allTextContents();
  const numbers = acts.map((text) => parseInt(text, 10));
  assert.deepEqual(numbers, [...numbers].sort((one, other) => other - one));
  for (const act of ["role", "suspend", "reinstate", "hide"]) assert.ok(acts.some((text) => text.includes(act)), `${act}: ${acts}`);
  for (const hash of await lines.locator(".hash").allTextContents()) assert.match(hash, /^[0-9a-f]{64}$/);
  await looksGood(boss, "log");
});

await end();
