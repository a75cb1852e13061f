/**
 * Settings and the account's life, in browser windows with a running server: in step on all devices, exported, deleted.
 *
 *   node settings.mjs <url> [folder for screenshots]
 */
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { scene } from "./scene.mjs";

const { run, check, looksGood, sitsDown, sitsDownToo, end } = await scene();
const ann = await sitsDown(`ann_${run}`);
const bob = await sitsDown(`bob_${run}`);
const ground = (person) => person.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
let phone;

await check("the dark theme chosen on the desk is on the telephone at once, and after a reload", async () => {
  await Promise.all([ann.signsUp(), bob.signsUp()]);
  phone = await sitsDownToo(ann, { viewport: { width: 390, height: 780 } });
  const light = await ground(phone);
  await ann.goes("#/settings");
  await looksGood(ann, "settings-whole");
  await ann.page.getByLabel("Colours").selectOption("Dark");
  await phone.page.waitForFunction((before) => getComputedStyle(document.body).backgroundColor !== before, light);
  await phone.page.reload();
  await phone.isLive();
  assert.notEqual(await ground(phone), light);
  await phone.goes("#/settings");
  await phone.page.getByLabel("Colours").selectOption("As this device has it");
  await ann.page.waitForFunction((before) => getComputedStyle(document.body).backgroundColor === before, light);
});
await check("whom new posts are for, chosen once, is what the composer begins with, on the telephone too", async () => {
  await ann.page.getByLabel("New posts are for").selectOption("Followers");
  await phone.goes("#/home");
  await phone.page.waitForFunction(() => document.querySelector("[aria-label='Who may see it']")?.value === "followers");
  await phone.page.getByLabel("New post").fill(`not for strangers ${run}`);
  await phone.page.getByRole("button", { name: "Post", exact: true }).click();
  await phone.card(`not for strangers ${run}`).getByText("For followers").waitFor();
});
await check("who wants not to be seen here is not", async () => {
  await bob.goes(`#/user/${ann.handle}`);
  await bob.page.getByRole("button", { name: `Follow ${ann.name}` }).click();
  await bob.page.locator(".profile").getByText("Online").waitFor();
  await ann.page.getByLabel("Who sees when I am here").selectOption("Nobody");
  await bob.page.locator(".profile").getByText("Online").waitFor({ state: "detached" });
});
await check("one log-in is ended from the list, then all others at once: their windows are at the door, this one stays", async () => {
  const [tablet, laptop] = [await sitsDownToo(ann), await sitsDownToo(ann)];
  for (const one of [phone, tablet, laptop]) one.lineCut = true;
  await ann.goes("#/home");
  await ann.goes("#/settings");
  const rows = ann.page.getByRole("list", { name: "Log-ins" }).getByRole("listitem");
  await rows.nth(3).waitFor();
  await rows.getByRole("button", { name: /^Log out/ }).first().click();
  await ann.page.getByText("That log-in has ended.").waitFor();
  await rows.nth(3).waitFor({ state: "detached" });
  const out = (one) => one.page.getByRole("heading", { name: "Log in" }).waitFor().then(() => one);
  const first = await Promise.any([phone, tablet, laptop].map(out));
  await looksGood(ann, "log-ins");
  await ann.page.getByRole("button", { name: "Log out everywhere else" }).click();
  await ann.page.getByRole("dialog").getByRole("button", { name: "Log out the others" }).click();
  await ann.page.getByText("2 log-ins ended.").waitFor();
  await Promise.all([phone, tablet, laptop].map(out));
  await first.page.getByText("Your session has ended. Please log in again.").waitFor({ state: "attached" });
  await rows.nth(1).waitFor({ state: "detached" });
  await rows.getByText("This one").waitFor();
  // Whose log-in has ended is refused when it asks for a new token.
  for (const one of [phone, tablet, laptop]) one.complaints = one.complaints.filter((text) => !text.includes("status of 4"));
  for (const one of [tablet, laptop]) await one.context.close();
  phone.lineCut = false;
  await phone.logsIn();
});
await check("ann sees her address, and downloads all that is hers", async () => {
  await ann.page.getByText(`You log in with ${ann.handle}@example.org`).waitFor();
  const [download] = await Promise.all([ann.page.waitForEvent("download"), ann.page.getByRole("button", { name: "Download my data" }).click()]);
  const text = readFileSync(await download.path(), "utf8");
  JSON.parse(text);
  assert.ok(text.includes(`not for strangers ${run}`));
});
await check("the account is deleted after a plain question: logged out everywhere, gone for others", async () => {
  const part = ann.page.getByRole("region", { name: "Delete the account" });
  await part.getByLabel("Your password").fill("not my password");
  await part.getByRole("button", { name: "Delete my account" }).click();
  await ann.page.getByRole("dialog").getByRole("button", { name: "Delete my account for good" }).click();
  await part.getByText("That is not your password.").waitFor();
  await part.getByLabel("Your password").fill("a long enough password");
  await part.getByRole("button", { name: "Delete my account" }).click();
  await ann.page.getByRole("dialog").getByText("This cannot be undone").waitFor();
  await looksGood(ann, "deleting");
  ann.lineCut = phone.lineCut = true;
  await ann.page.getByRole("dialog").getByRole("button", { name: "Delete my account for good" }).click();
  await ann.page.getByRole("heading", { name: "Log in" }).waitFor();
  await phone.page.getByRole("heading", { name: "Log in" }).waitFor();
  await bob.goes("#/home");
  await bob.goes(`#/user/${ann.handle}`);
  await bob.page.getByText("There is nobody called").waitFor();
  await bob.goes("#/search/people/" + ann.handle);
  await bob.page.getByText("Nobody found").or(bob.page.getByText(/^No/)).first().waitFor();
  // Whose log-in has ended is refused when it asks for a new token.
  for (const one of [ann, phone]) one.complaints = one.complaints.filter((text) => !text.includes("status of 4"));
});
await check("her handle rests: nobody else can take it, and who tries is told at its field", async () => {
  await ann.goes("#/signup");
  await ann.page.getByLabel("Handle").fill(ann.handle);
  await ann.page.getByLabel("E-mail address").fill(`${ann.handle}@example.org`);
  await ann.page.getByLabel("Password").fill("a long enough password");
  await ann.page.getByRole("button", { name: "Sign up" }).click();
  await ann.page.locator("input[aria-invalid]").waitFor();
  assert.equal(await ann.page.getByLabel("Handle").getAttribute("aria-invalid"), "true");
  await looksGood(ann, "handle-rests");
  // The address is free.
  await ann.page.getByLabel("Handle").fill(`new_${run}`);
  await ann.page.getByRole("button", { name: "Sign up" }).click();
  await ann.page.getByRole("heading", { name: "Home", exact: true }).waitFor();
  ann.complaints = ann.complaints.filter((text) => !text.includes("status of 4"));
});

await end();
