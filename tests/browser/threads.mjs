/**
 * A thread kept in order by who wrote the post, in browser windows with a running server.
 *
 *   node threads.mjs <url> [folder for screenshots]
 */
import { strict as assert } from "node:assert";
import { WebSocket } from "ws";
import { Client, Rest } from "../../clients/js/src/index.js";
import { scene } from "./scene.mjs";

const { url, run, check, looksGood, sitsDown, end } = await scene();
const ann = await sitsDown(`ann_${run}`);
const bob = await sitsDown(`bob_${run}`);
const alone = (person) => person.page.locator(".post.alone");
const does = async (person, name) => {
  await alone(person).getByRole("button", { name: "More" }).click();
  await alone(person).getByRole("button", { name, exact: true }).click();
};
let place;

await check("ann folds bob's comment away; it can be opened by whoever wants to", async () => {
  await Promise.all([ann.signsUp(), bob.signsUp()]);
  await ann.writes(`the bench is painted ${run}`);
  await ann.card(`is painted ${run}`).getByRole("link", { name: "Comments" }).click();
  await ann.page.getByLabel("New comment").waitFor();
  place = await ann.page.evaluate(() => location.hash);
  await bob.goes(place);
  await bob.comments(`buy my paint ${run}`);
  await ann.card(`buy my paint ${run}`).getByRole("button", { name: "Hide" }).click();
  await bob.page.getByText("Hidden by the author of the post").waitFor();
  assert.equal(await bob.text(`buy my paint ${run}`).count(), 0);
  await looksGood(bob, "folded");
  await bob.page.locator(".comment").getByRole("button", { name: "Show" }).click();
  await bob.sees(`buy my paint ${run}`);
  await ann.page.locator(".comment").getByRole("button", { name: "Unhide" }).click();
  await ann.sees(`buy my paint ${run}`);
});
await check("slow mode: bob is told how long to wait, and keeps his words", async () => {
  await does(ann, "Slow mode…");
  await ann.page.getByLabel("One comment each").selectOption("5 minutes");
  await looksGood(ann, "slow-mode");
  await ann.page.getByRole("button", { name: "Save" }).click();
  await bob.page.getByText("Slow mode: one comment each 5 minutes").waitFor();
  await bob.comments(`also my ladder ${run}`);
  await bob.page.getByLabel("New comment").fill(`and my brushes ${run}`);
  await bob.page.getByRole("button", { name: "Comment", exact: true }).click();
  await bob.page.getByText("That was a little too fast").waitFor();
  assert.equal(await bob.page.getByLabel("New comment").inputValue(), `and my brushes ${run}`);
  await does(ann, "Slow mode…");
  await ann.page.getByLabel("One comment each").selectOption("Off");
  await ann.page.getByRole("button", { name: "Save" }).click();
  await bob.page.getByText("Slow mode").waitFor({ state: "detached" });
});
await check("only those ann follows may comment: bob, whom she does not, is told", async () => {
  await does(ann, "Who may comment…");
  await ann.page.getByLabel("May comment", { exact: true }).selectOption("People I follow");
  await ann.page.getByRole("button", { name: "Save" }).click();
  await bob.page.getByText("People the author follows may comment").waitFor();
  await bob.page.getByRole("button", { name: "Comment", exact: true }).click();
  await bob.page.getByText("may not", { exact: false }).waitFor();
  assert.equal(await bob.page.getByLabel("New comment").inputValue(), `and my brushes ${run}`);
});
await check("a locked thread says so, and has no field to write in; unlocked it has one again", async () => {
  await does(ann, "Lock comments");
  await bob.page.getByText("Locked by the author: no new comments").waitFor();
  await bob.page.getByLabel("New comment").waitFor({ state: "hidden" });
  assert.equal(await bob.card(`buy my paint ${run}`).getByRole("button", { name: "Reply" }).count(), 0);
  await looksGood(bob, "locked");
  await does(ann, "Unlock comments");
  await bob.page.getByLabel("New comment").waitFor();
});
await check("a branch that is not all here says how many answers there are more, and brings them where they belong", async () => {
  const talker = new Client({ url, WebSocket, getToken: async () => (await new Rest({ url }).login({ login: ann.handle, password: "a long enough password" })).access_token });
  talker.connect();
  const { post } = await talker.createPost(`a long talk ${run}`);
  const { comment } = await talker.createComment(post.id, `who was there? ${run}`);
  const says = (many, what, more) => Promise.all(Array.from({ length: many }, (_, at) => talker.createComment(post.id, `${what} ${at} ${run}`, more)));
  await says(100, "answer", { parent: comment.id });
  await says(40, "aside");
  talker.close();
  // The newest 50 comments, and the next 50: 40 asides and 60 answers.
  await bob.goes(`#/post/${post.id}`);
  await bob.page.getByText("aside 39").waitFor();
  await bob.page.getByRole("button", { name: "Load earlier comments" }).click();
  const branch = bob.page.locator("li", { has: bob.page.locator("> article", { hasText: "who was there?" }) });
  const more = branch.getByRole("button", { name: "40 more answers" });
  await more.focus();
  assert.equal(await branch.locator(".answers .prose").count(), 60);
  await looksGood(bob, "more-answers");
  await bob.page.keyboard.press("Enter");
  await more.waitFor({ state: "detached" });
  assert.equal(await branch.locator(".answers .prose").count(), 100);
  await branch.locator(":focus").waitFor();
});

await end();
