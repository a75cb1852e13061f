/**
 * Whom one follows and what one does not want to read, in browser windows with a running server: requests, lists, keyword filters.
 *
 *   node people.mjs <url> [folder for screenshots]
 */
import { strict as assert } from "node:assert";
import { scene } from "./scene.mjs";

const { run, check, looksGood, sitsDown, sitsDownToo, end } = await scene();
const ann = await sitsDown(`ann_${run}`);
const bob = await sitsDown(`bob_${run}`);
const cyd = await sitsDown(`cyd_${run}`);

await check("ann wants to be asked; bob's request comes to her bell, and he can take it back", async () => {
  await Promise.all([ann, bob, cyd].map((person) => person.signsUp()));
  await ann.goes("#/settings");
  await ann.page.getByLabel("Ask me before somebody follows me").check();
  await ann.page.getByText("From now on you are asked").waitFor();
  await bob.goes(`#/user/${ann.handle}`);
  await bob.page.getByText("approves followers").waitFor();
  await bob.page.getByRole("button", { name: `Follow ${ann.name}` }).click();
  await bob.page.getByRole("button", { name: `Take back the request to follow ${ann.name}` }).waitFor();
  await looksGood(bob, "requested");
  await ann.page.getByRole("link", { name: /^Notifications/ }).click();
  await ann.page.getByRole("link", { name: `${bob.name} asked to follow you` }).click();
  await ann.page.getByRole("button", { name: `Let ${bob.name} follow you`, exact: true }).waitFor();
  await bob.page.getByRole("button", { name: `Take back the request to follow ${ann.name}` }).click();
  await ann.page.getByText("Nobody is waiting for your answer.").waitFor();
});
await check("bob asks again, ann accepts; cyd is not let in", async () => {
  await bob.page.getByRole("button", { name: `Follow ${ann.name}` }).click();
  await cyd.goes(`#/user/${ann.handle}`);
  await cyd.page.getByRole("button", { name: `Follow ${ann.name}` }).click();
  await ann.page.getByRole("button", { name: `Do not let ${cyd.name} follow you` }).waitFor();
  await looksGood(ann, "requests");
  await ann.page.getByRole("button", { name: `Do not let ${cyd.name} follow you` }).click();
  await cyd.page.getByRole("button", { name: `Follow ${ann.name}` }).waitFor();
  await ann.page.getByRole("button", { name: `Let ${bob.name} follow you`, exact: true }).click();
  await bob.page.getByRole("button", { name: `Unfollow ${ann.name}` }).waitFor();
  await ann.writes(`for my followers ${run}`, { sees: "Followers" });
  await bob.sees(`for my followers ${run}`);
});
await check("ann removes bob from her followers: what was for them goes from his window", async () => {
  await ann.goes(`#/user/${bob.handle}`);
  await ann.page.getByRole("button", { name: "Remove follower" }).click();
  await ann.page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await bob.page.getByRole("button", { name: `Follow ${ann.name}` }).waitFor();
  await bob.seesNoMore(`for my followers ${run}`);
});
await check("bob makes a list, puts ann in by a search, and reads her there; on his telephone it is there, too", async () => {
  await bob.goes("#/lists");
  await bob.page.getByLabel("Name of a new list").fill("Harbour");
  await bob.page.getByRole("button", { name: "Make a list" }).click();
  await bob.page.getByRole("heading", { name: "Harbour", level: 1 }).waitFor();
  await bob.page.getByLabel("Add people").fill(ann.handle);
  await bob.page.getByRole("button", { name: `Add ${ann.name} to the list` }).click();
  await bob.page.getByRole("list", { name: "People in this list" }).getByRole("link", { name: ann.name }).waitFor();
  await looksGood(bob, "list-people");
  await ann.writes(`ships come in ${run}`);
  await bob.sees(`ships come in ${run}`);
  const phone = await sitsDownToo(bob, { viewport: { width: 390, height: 780 } });
  await phone.page.getByRole("link", { name: "More" }).click();
  await phone.page.getByRole("main").getByRole("link", { name: "Lists" }).click();
  await phone.page.getByRole("link", { name: "Harbour" }).click();
  await phone.sees(`ships come in ${run}`);
  await looksGood(phone, "list");
  await phone.context.close();
});
await check("from ann's profile bob takes her out of the list again; it is quiet at once", async () => {
  await bob.goes(`#/user/${ann.handle}`);
  await bob.page.getByRole("button", { name: "Lists…" }).click();
  const box = bob.page.getByRole("dialog").getByLabel("Harbour");
  await bob.page.waitForFunction(() => document.querySelector("dialog input[type=checkbox]")?.checked);
  await looksGood(bob, "lists-of");
  await box.uncheck();
  await bob.page.keyboard.press("Escape");
  await bob.goes("#/lists");
  await bob.page.getByText("0 people").waitFor();
});
await check("a filter folds away what says it, on both of bob's devices at once; it can be opened, and ends when it is deleted", async () => {
  const phone = await sitsDownToo(bob, { viewport: { width: 390, height: 780 } });
  await phone.goes("#/global");
  await phone.sees(`ships come in ${run}`);
  await bob.goes("#/settings");
  await bob.page.getByLabel("What you do not want to read").fill(`SHIPS come in ${run}`);
  await bob.page.getByRole("button", { name: "Add the filter" }).click();
  await phone.page.getByText(`Hidden by your filter “SHIPS come in ${run}”`).waitFor();
  assert.equal(await phone.text(`ships come in ${run}`).count(), 0);
  await looksGood(phone, "filtered");
  await phone.card("Hidden by your filter").getByRole("button", { name: "Show" }).click();
  await phone.sees(`ships come in ${run}`);
  await bob.page.getByRole("button", { name: `Delete the filter SHIPS come in ${run}` }).click();
  await bob.page.getByRole("list", { name: "Your filters" }).getByText("None.").waitFor();
  await phone.goes("#/home");
  await phone.goes("#/global");
  await phone.sees(`ships come in ${run}`);
  await phone.context.close();
});

await end();
