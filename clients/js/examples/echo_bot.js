/**
 * A bot that answers every post with !echo in it:  TIDINGS_TOKEN=tid_… node echo_bot.js http://127.0.0.1:8080
 * How to make the bot and its token: docs/bots.md. Owns its answers alone; must never answer itself, or a post twice.
 */
import { createHash } from "node:crypto";
import { Client } from "../src/index.js";

/** Node has a WebSocket of its own from version 22; before that: npm install ws. */
const WebSocket = globalThis.WebSocket ?? (await import(process.env.TIDINGS_WS ?? "ws")).default;
const client = new Client({ url: process.argv[2], token: process.env.TIDINGS_TOKEN, name: "echo-bot/1.0", WebSocket });
const posts = client.feed("global");

/** The same for the same post: whatever happens between question and answer, the answer is there once. */
function answerTo(post) {
  const hash = createHash("sha1").update(Buffer.from(`${post.id}${client.user.id}`.replaceAll("-", ""), "hex")).digest().subarray(0, 16);
  hash[6] = (hash[6] & 0x0f) | 0x50;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  return hash.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function answer(post) {
  if (!post.text?.includes("!echo") || post.author.id === client.user.id) return;
  client.createComment(post.id, `You said: ${post.text.slice(0, 1900)}`, { id: answerTo(post) })
    .catch(({ code }) => console.error(`no answer to ${post.id}: ${code}`));
}

posts.on("post.created", answer);
posts.on("post.updated", answer);
// A first snapshot, or one in place of too long a gap.
posts.on("change", ({ cause }) => { if (cause === "snapshot") posts.posts.forEach(answer); });
client.on("state", ({ state, code, reason }) => {
  if (state !== "disconnected") return; // It comes back by itself.
  console.error(`the server says ${code} ${reason}`); // 44xx: the token has ended; 45xx: give up.
  process.exitCode = 1;
});
client.connect();
