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
/** The server's program knows all settings that begin with its name, and this is none. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TIDINGS_")));
/** The case this is about; others may be there from an earlier run. */
const caseOf = (person) => person.page.locator(".case", { hasText: `cheap watches ${run}` });
const [program, ...given] = JSON.parse(process.env.TIDINGS_MAKE_MODERATOR ?? "[]");

await check("two moderators are made; they find the page of cases", async () => {
  await Promise.all([ann, bob, mod, eve].map((person) => person.signsUp()));
  for (const one of [mod, eve]) execFileSync(program, given.map((word) => word.replace("{}", one.handle)), { env });
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
  await bob.page.getByLabel("New post").fill("hello?");
  await bob.page.getByRole("button", { name: "Post", exact: true }).click();
  await bob.page.getByRole("alert").filter({ hasText: "may not" }).first().waitFor();
  assert.equal(await bob.page.getByLabel("New post").inputValue(), "hello?");
});

await end();
