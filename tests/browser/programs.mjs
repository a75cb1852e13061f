/**
 * Programs that act for somebody, in browser windows with a running server: tokens, bots.
 *
 *   node programs.mjs <url> [folder for screenshots]
 */
import { strict as assert } from "node:assert";
import { WebSocket } from "ws";
import { Client } from "../../clients/js/src/index.js";
import { scene } from "./scene.mjs";

const { url, run, check, looksGood, sitsDown, end } = await scene();
const ann = await sitsDown(`ann_${run}`);
/** What the program uses that was given the token. */
let program;

await check("ann makes a token; its secret is shown once, and a program that has it writes for her", async () => {
  await ann.signsUp();
  await ann.goes("#/settings");
  await ann.page.getByRole("link", { name: "Programs and bots" }).click();
  await ann.page.getByLabel("Name of a new token").fill("feed reader");
  await ann.page.getByLabel("Write, follow and change things for you").check();
  await ann.page.getByRole("button", { name: "Make a token" }).click();
  const secret = await ann.page.getByLabel("The new token").last().inputValue();
  assert.match(secret, /^tid_/);
  await looksGood(ann, "programs");
  program = new Client({ url, WebSocket, getToken: () => secret });
  program.connect();
  await program.createPost(`by a program ${run}`);
  await ann.page.getByRole("button", { name: "Done" }).click();
  await ann.page.getByRole("list", { name: "Your tokens" }).getByText("feed reader").waitFor();
  assert.equal(await ann.page.getByText(secret).count(), 0);
  await ann.goes("#/home");
  await ann.sees(`by a program ${run}`);
});
await check("she revokes it: the program is cut off", async () => {
  await ann.goes("#/programs");
  const cut = new Promise((resolve) => program.on("state", ({ state }) => { if (state !== "connected") resolve(); }));
  await ann.page.getByRole("button", { name: "Revoke feed reader" }).click();
  await ann.page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await cut;
  await ann.page.getByRole("list", { name: "Your tokens" }).getByText("None.").waitFor();
  program.close();
});
await check("she makes a bot, which speaks by a token of its own; its profile says whose it is; stopped, it is silent", async () => {
  await ann.page.getByLabel("Handle").fill(`bot_${run}`);
  await ann.page.getByLabel("Name", { exact: true }).fill("Tide table");
  await ann.page.getByRole("button", { name: "Make a bot" }).click();
  const bots = ann.page.getByRole("list", { name: "Bots" });
  await bots.getByRole("link", { name: "Tide table" }).waitFor();
  await bots.getByText("Tokens of Tide table").click();
  await bots.getByLabel("Name of a new token").fill("the harbour");
  await bots.getByLabel("Write, follow and change things for you").check();
  await bots.getByRole("button", { name: "Make a token" }).click();
  const secret = await bots.getByLabel("The new token").last().inputValue();
  program = new Client({ url, WebSocket, getToken: () => secret });
  program.connect();
  await program.createPost(`high water at six ${run}`);
  await looksGood(ann, "bots");
  await bots.getByRole("link", { name: "Tide table" }).click();
  await ann.sees(`high water at six ${run}`);
  await ann.page.locator(".profile").getByText("A bot of Ann").waitFor();
  await looksGood(ann, "bot-profile");
  const cut = new Promise((resolve) => program.on("state", ({ state }) => { if (state !== "connected") resolve(); }));
  await ann.goes("#/programs");
  await bots.getByRole("button", { name: "Stop Tide table" }).click();
  await ann.page.getByRole("dialog").getByRole("button", { name: "Stop it for good" }).click();
  await cut;
  program.close();
  await bots.getByText("None yet.").waitFor();
});

await end();
