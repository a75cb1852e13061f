/**
 * What belongs to writing, in browser windows with a running server: earlier versions, pictures, mentions, drafts, posts for later.
 *
 *   node writing.mjs <url> [folder for screenshots]
 */
import { strict as assert } from "node:assert";
import { scene } from "./scene.mjs";

const { run, check, looksGood, sitsDown, end } = await scene();
const ann = await sitsDown(`ann_${run}`);
const bob = await sitsDown(`bob_${run}`);

await check("two people sign up; bob reads what ann writes and edits", async () => {
  await Promise.all([ann.signsUp(), bob.signsUp()]);
  await ann.writes(`the tide comes at six ${run}`);
  await bob.goes("#/global");
  await bob.sees(`at six ${run}`);
  await ann.card(`at six ${run}`).getByRole("button", { name: "Edit" }).click();
  await ann.page.getByLabel("Text of the post").fill(`the tide comes at seven ${run}`);
  await ann.page.getByRole("button", { name: "Save" }).click();
  await bob.sees(`at seven ${run}`);
});
await check("\"edited\" opens what it said before; Escape closes, and the focus is back", async () => {
  await bob.card(`at seven ${run}`).getByRole("button", { name: "edited" }).focus();
  await bob.page.keyboard.press("Enter");
  const dialog = bob.page.getByRole("dialog", { name: "Earlier versions" });
  await dialog.getByText(`the tide comes at six ${run}`).waitFor();
  assert.equal(await dialog.getByRole("listitem").count(), 2);
  await looksGood(bob, "versions");
  await bob.page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await bob.card(`at seven ${run}`).getByRole("button", { name: "edited" }).and(bob.page.locator(":focus")).waitFor();
});

await end();
