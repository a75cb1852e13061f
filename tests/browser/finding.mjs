/**
 * Finding people, posts and tags, in browser windows with a running server: the search, mentions while writing.
 *
 *   node finding.mjs <url> [folder for screenshots]
 */
import { strict as assert } from "node:assert";
import { scene } from "./scene.mjs";

const { run, check, looksGood, sitsDown, sitsDownToo, picture, nothingWrong, end } = await scene();
const ann = await sitsDown(`ann_${run}`);
const bob = await sitsDown(`bob_${run}`);
const cyd = await sitsDown(`cyd_${run}`);

await check("the key / opens the search; people are found while one types, and can be followed there", async () => {
  await Promise.all([ann, bob, cyd].map((person) => person.signsUp()));
  await ann.writes(`the heron of ${run} stands in the reeds #heron_${run}`);
  await bob.page.getByRole("heading", { level: 1 }).focus();
  await bob.page.keyboard.press("/");
  await bob.page.getByRole("searchbox", { name: "Search" }).and(bob.page.locator(":focus")).waitFor();
  await nothingWrong(bob);
  await bob.page.keyboard.type(`ann_${run}`);
  const found = bob.page.getByRole("list", { name: "People found" });
  await found.getByRole("link", { name: ann.name }).waitFor();
  await found.getByRole("button", { name: `Follow ${ann.name}` }).click();
  await found.getByRole("button", { name: `Unfollow ${ann.name}` }).and(bob.page.locator(":focus")).waitFor();
  await looksGood(bob, "search-people");
});
await check("posts are found by words; the address keeps the search, and Back leads to it again", async () => {
  await bob.page.getByRole("link", { name: "Posts", exact: true }).click();
  await bob.page.getByRole("searchbox", { name: "Search" }).fill(`heron ${run} -pigeon`);
  await bob.page.keyboard.press("Enter");
  await bob.sees(`the heron of ${run}`);
  await looksGood(bob, "search-posts");
  await bob.card(`the heron of ${run}`).getByRole("link", { name: "Comments" }).click();
  await bob.page.locator(".post.alone").waitFor();
  await bob.page.getByRole("button", { name: "Back" }).click();
  await bob.sees(`the heron of ${run}`);
  assert.equal(await bob.page.getByRole("searchbox", { name: "Search" }).inputValue(), `heron ${run} -pigeon`);
});
await check("tags are found by their beginning", async () => {
  await bob.goes(`#/search/tags/heron_${run}`);
  await bob.page.getByRole("list", { name: "Tags found" }).getByRole("link", { name: `#heron_${run}` }).click();
  await bob.sees(`the heron of ${run}`);
});
await check("an @ opens the people one may mean; keys choose, Escape closes, and the text is not lost", async () => {
  await bob.goes("#/home");
  const field = bob.page.getByLabel("New post");
  await field.pressSequentially(`good morning @ann_${run.slice(0, 3)}`);
  const list = bob.page.getByRole("listbox", { name: "People to mention" });
  await list.getByRole("option", { name: new RegExp(ann.name) }).first().waitFor();
  assert.equal(await field.getAttribute("aria-expanded"), "true");
  await picture(bob, "mention");
  await nothingWrong(bob);
  await bob.page.keyboard.press("Escape");
  await list.waitFor({ state: "hidden" });
  await bob.page.keyboard.press("Backspace");
  await bob.page.keyboard.type(run.slice(2));
  await list.getByRole("option", { name: new RegExp(`ann_${run}`) }).waitFor();
  await bob.page.keyboard.press("Enter");
  assert.equal(await field.inputValue(), `good morning @ann_${run} `);
  await bob.page.getByRole("button", { name: "Post", exact: true }).click();
  await bob.sees(`good morning @ann_${run}`);
});
await check("from the search to a profile, and to a post that mentions two people, without a mouse", async () => {
  const keys = bob.page.keyboard;
  const focused = () => bob.page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent?.trim());
  await bob.page.getByRole("heading", { level: 1 }).focus();
  await keys.press("/");
  await bob.page.getByRole("searchbox", { name: "Search" }).and(bob.page.locator(":focus")).waitFor();
  await bob.goes("#/search/people");
  await keys.press("/");
  await bob.page.getByRole("searchbox", { name: "Search" }).and(bob.page.locator(":focus")).waitFor();
  await keys.press("ControlOrMeta+a");
  await keys.type(`ann_${run}`);
  await bob.page.getByRole("list", { name: "People found" }).getByRole("link", { name: ann.name }).waitFor();
  for (let step = 0; step < 12 && !(await focused())?.startsWith(ann.name); step += 1) await keys.press("Tab");
  await keys.press("Enter");
  await bob.page.getByRole("heading", { name: ann.name, level: 1 }).waitFor();
  await keys.press("n");
  await bob.page.getByLabel("New post").and(bob.page.locator(":focus")).waitFor();
  const list = bob.page.getByRole("listbox", { name: "People to mention" });
  for (const handle of [ann.handle, cyd.handle]) {
    await keys.type(`@${handle.slice(0, -1)}`);
    await list.getByRole("option", { name: new RegExp(handle) }).waitFor();
    await keys.press("ArrowDown");
    await keys.press("ArrowUp");
    assert.equal(await list.getByRole("option", { selected: true }).count(), 1);
    await keys.press("Tab");
    await list.waitFor({ state: "hidden" });
  }
  assert.equal(await bob.page.getByLabel("New post").inputValue(), `@${ann.handle} @${cyd.handle} `);
  await keys.type(`by keys alone ${run}`);
  await keys.press("ControlOrMeta+Enter");
  await bob.sees(`by keys alone ${run}`);
  await bob.page.getByLabel("New post").and(bob.page.locator(":focus")).waitFor();
});
await check("what most people liked today is one click from Global, and stays as it was asked for", async () => {
  await bob.goes("#/global");
  await bob.card(`the heron of ${run}`).getByRole("button", { name: "React" }).click();
  await bob.card(`the heron of ${run}`).getByRole("button", { name: "Love" }).click();
  await bob.page.getByRole("link", { name: "Top this week" }).click();
  await bob.page.getByRole("heading", { name: "Top this week", level: 1 }).waitFor();
  await bob.page.getByRole("feed").or(bob.page.getByText("Nothing yet.")).first().waitFor();
  await looksGood(bob, "top");
});
await check("how far bob has read at his desk his telephone knows: a line stands between what is new and what he knew", async () => {
  const told = new Promise((resolve) => {
    bob.page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => { if (payload.includes("marker.set")) resolve(); }));
  });
  await bob.goes("#/home");
  await bob.page.reload();
  await bob.sees(`the heron of ${run}`);
  await told;
  await bob.goes("#/search");
  await ann.writes(`and now two herons ${run}`);
  const phone = await sitsDownToo(bob, { viewport: { width: 390, height: 780 } });
  await phone.sees(`and now two herons ${run}`);
  const line = phone.page.getByRole("separator", { name: "You know what follows" });
  await line.waitFor();
  assert.equal(await phone.page.locator(".posts > *").nth(1).getAttribute("role"), "separator");
  await looksGood(phone, "read-line");
  await phone.context.close();
});

await end();
