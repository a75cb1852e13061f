/**
 * What belongs to writing, in browser windows with a running server: earlier versions, pictures, mentions, drafts, posts for later.
 *
 *   node writing.mjs <url> [folder for screenshots]
 */
import { strict as assert } from "node:assert";
import { scene } from "./scene.mjs";

const { run, check, looksGood, sitsDown, sitsDownToo, end } = await scene();
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
await check("a draft is kept on the telephone, gone on with and published on the desk", async () => {
  const phone = await sitsDownToo(ann, { viewport: { width: 390, height: 780 } });
  await phone.page.getByLabel("New post").fill(`half a thought ${run}`);
  await phone.page.getByRole("button", { name: "Save draft" }).click();
  await phone.page.getByText("Saved to your drafts").waitFor();
  assert.equal(await phone.page.getByLabel("New post").inputValue(), "");
  await ann.goes("#/drafts");
  await ann.sees(`half a thought ${run}`);
  await looksGood(ann, "drafts");
  await ann.page.getByRole("button", { name: "Edit" }).click();
  await ann.page.getByLabel("Text of the draft").fill(`a whole thought ${run}`);
  await ann.page.getByRole("button", { name: "Publish", exact: true }).click();
  await ann.page.getByText("Nothing yet.").waitFor();
  await bob.goes("#/search"); // Where he was the focus was on a post, so that new ones waited.
  await bob.goes("#/global");
  await bob.sees(`a whole thought ${run}`);
  await phone.context.close();
});
await check("a post is scheduled with the clock, told when, put off, and published by hand", async () => {
  await ann.goes("#/home");
  await ann.page.getByLabel("New post").fill(`later today ${run}`);
  await ann.page.getByRole("button", { name: "Publish later" }).click();
  const at = new Date(Date.now() + 86_400_000 - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  await ann.page.getByLabel("Publish at").fill(at);
  await looksGood(ann, "schedule");
  await ann.page.getByRole("button", { name: "Schedule", exact: true }).click();
  await ann.page.getByText("It will be published on").waitFor();
  await ann.goes("#/drafts");
  await ann.page.getByText(/^\s*Will be published on/).waitFor();
  await looksGood(ann, "scheduled");
  await ann.page.getByRole("button", { name: "Publish now" }).click();
  await bob.sees(`later today ${run}`);
  await ann.page.getByText("Nothing yet.").waitFor();
});
await check("a post with pictures: sent with their descriptions, seen by bob, shown large by the keyboard", async () => {
  await ann.goes("#/home");
  const picture = async (colour, name) => ({
    name, mimeType: "image/png",
    buffer: Buffer.from((await ann.page.evaluate((fill) => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 400 });
      const pen = canvas.getContext("2d");
      pen.fillStyle = fill;
      pen.fillRect(0, 0, 640, 400);
      return canvas.toDataURL("image/png").split(",")[1];
    }, colour)), "base64"),
  });
  const choose = async (files) => {
    const [chooser] = await Promise.all([ann.page.waitForEvent("filechooser"), ann.page.getByRole("button", { name: "Add pictures" }).click()]);
    await chooser.setFiles(files);
  };
  await choose([await picture("teal", "sea.png"), await picture("orange", "sun.png")]);
  await ann.page.getByLabel("Description of sea.png").fill("A calm sea");
  await ann.page.getByText("Ready").nth(1).waitFor();
  await looksGood(ann, "choosing-pictures");
  await ann.page.getByLabel("New post").fill(`two pictures ${run}`);
  await ann.page.getByRole("button", { name: "Post", exact: true }).click();
  const first = bob.card(`two pictures ${run}`).getByRole("button", { name: "Picture: A calm sea" });
  await first.waitFor();
  await bob.page.waitForFunction(() => [...document.querySelectorAll(".pictures img")].some((img) => img.complete && img.naturalWidth > 0));
  await looksGood(bob, "pictures");
  await first.focus();
  await bob.page.keyboard.press("Enter");
  const large = bob.page.getByRole("dialog", { name: "Picture" });
  await large.getByText("1 of 2 · A calm sea").waitFor();
  await bob.page.keyboard.press("ArrowRight");
  await large.getByText("2 of 2").waitFor();
  await looksGood(bob, "picture-large");
  await bob.page.keyboard.press("Escape");
  await first.and(bob.page.locator(":focus")).waitFor();
});
await check("a picture that cannot be one is refused in words, and what was written stays", async () => {
  await ann.page.getByLabel("New post").fill(`words stay ${run}`);
  const [chooser] = await Promise.all([ann.page.waitForEvent("filechooser"), ann.page.getByRole("button", { name: "Add pictures" }).click()]);
  await chooser.setFiles([{ name: "broken.png", mimeType: "image/png", buffer: Buffer.from("not a picture at all") }]);
  await ann.page.locator(".chosen .error").waitFor();
  assert.equal(await ann.page.getByLabel("New post").inputValue(), `words stay ${run}`);
  await ann.page.getByRole("button", { name: "Remove broken.png" }).click();
  await ann.page.getByRole("button", { name: "Post", exact: true }).click();
  await bob.goes("#/search");
  await bob.goes("#/global");
  await bob.sees(`words stay ${run}`);
  ann.complaints = ann.complaints.filter((text) => !text.includes("status of 4"));
});
await check("ann shows her face: chosen in her profile, seen by bob beside her posts", async () => {
  await ann.goes(`#/user/${ann.handle}`);
  await ann.page.getByRole("button", { name: "Edit profile" }).click();
  const bytes = await ann.page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 200, height: 200 });
    const pen = canvas.getContext("2d");
    pen.fillStyle = "rebeccapurple";
    pen.fillRect(0, 0, 200, 200);
    return canvas.toDataURL("image/png").split(",")[1];
  });
  const [chooser] = await Promise.all([ann.page.waitForEvent("filechooser"), ann.page.getByRole("button", { name: "Choose a picture" }).click()]);
  await chooser.setFiles([{ name: "face.png", mimeType: "image/png", buffer: Buffer.from(bytes, "base64") }]);
  await ann.page.getByText("Shown to others when you save.").waitFor();
  await looksGood(ann, "face");
  await ann.page.getByRole("button", { name: "Save" }).click();
  await ann.page.getByRole("button", { name: "Edit profile" }).waitFor();
  await bob.goes(`#/user/${ann.handle}`);
  await bob.page.waitForFunction(() => { const face = document.querySelector(".profile .avatar img"); return face?.complete && face.naturalWidth > 0; });
  await looksGood(bob, "with-face");
});

await end();
