/** Conversations with a real server. They run where TIDINGS_URL names one. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { Client, Rest, uuidv7 } from "../src/index.js";
import { startProxy } from "./proxy.js";

const url = process.env.TIDINGS_URL;
/** Node has one of its own from version 22; before that the browser tests' is borrowed. */
const borrowed = url && createRequire(new URL("../../../tests/browser/package.json", import.meta.url));
const WebSocket = globalThis.WebSocket ?? borrowed?.("ws").WebSocket;
const PASSWORD = "a long enough password";
const PATIENCE_MS = 15_000;
const everybody = [];

/** Somebody with an account and a connection. */
async function arrives(name, { via = url } = {}) {
  const handle = `${name}_${uuidv7().slice(-8)}`;
  const rest = new Rest({ url });
  const tokens = await rest.signUp({ handle, name, email: `${handle}@example.org`, password: PASSWORD });
  let asked = 0;
  const client = new Client({ url: via, WebSocket, getToken: () => { asked += 1; return tokens.access_token; } });
  everybody.push(client);
  client.connect();
  return { handle, tokens, rest, client, id: tokens.user.id, get tokensAsked() { return asked; } };
}

/** Waits until `holds` gives something, looking again at each change of the feed. */
function until(feed, holds) {
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    const late = setTimeout(() => { stop.abort(); reject(new Error(`not within ${PATIENCE_MS} ms: ${holds}`)); }, PATIENCE_MS);
    const look = () => {
      if (!holds()) return;
      clearTimeout(late);
      stop.abort();
      resolve();
    };
    feed.on("change", look, { signal: stop.signal });
    look();
  });
}

const texts = (feed) => feed.posts.map(({ text }) => text);

describe("with a real server", { skip: !url && "TIDINGS_URL is not set", timeout: 90_000 }, () => {
  let ann;
  let bob;
  let proxy;
  before(async () => {
    proxy = await startProxy(new URL(url));
    ann = await arrives("ann");
    bob = await arrives("bob", { via: proxy.url });
  });
  after(() => {
    for (const client of everybody) client.close();
    proxy?.stop();
  });

  test("bob follows ann and hears what she posts, edits and deletes", async () => {
    const home = await bob.client.feed("home").ready();
    const me = await bob.client.feed("me").ready();
    const { following } = await bob.client.follow(ann.id);
    assert.equal(following, true);
    await until(me, () => me.follows.has(ann.id));
    const { post } = await ann.client.createPost("one");
    await until(home, () => texts(home).includes("one"));
    await ann.client.updatePost(post.id, "one, better", { ifRev: post.rev });
    await until(home, () => texts(home).includes("one, better"));
    await ann.client.deletePost(post.id);
    await until(home, () => home.posts.length === 0);
  });

  test("a thread grows for both, and a deleted comment leaves its place", async () => {
    const { post } = await ann.client.createPost("talk to me");
    const feed = await bob.client.feed(`post:${post.id}`).ready();
    const { comment } = await bob.client.createComment(post.id, "first");
    await ann.client.createComment(post.id, "an answer", { parent: comment.id });
    await until(feed, () => feed.thread[0]?.answers.length === 1);
    await bob.client.deleteComment(comment.id);
    await until(feed, () => feed.thread[0]?.comment.removed === true);
    assert.equal(feed.thread[0].answers[0].comment.text, "an answer");
    feed.close();
  });

  test("after a cut bob resumes, with the same token, and misses nothing", async () => {
    const home = bob.client.feed("home");
    const asked = bob.tokensAsked;
    const welcomed = new Promise((resolve) => bob.client.once("welcome", resolve));
    proxy.cut();
    await ann.client.createPost("while bob is away, 1");
    await ann.client.createPost("while bob is away, 2");
    const welcome = await welcomed;
    assert.equal(welcome.resumed, true);
    await until(home, () => texts(home).includes("while bob is away, 2"));
    assert.deepEqual(texts(home).slice(0, 2), ["while bob is away, 2", "while bob is away, 1"]);
    assert.equal(bob.tokensAsked, asked);
  });

  test("what is sent while the line is cut again and again is done, once", async () => {
    const home = bob.client.feed("home");
    const sent = Array.from({ length: 30 }, (_, number) => bob.client.createPost(`through cuts ${number}`));
    const cutting = setInterval(() => proxy.cut(), 40);
    setTimeout(() => clearInterval(cutting), 1_000);
    await Promise.all(sent);
    clearInterval(cutting);
    const through = () => texts(home).filter((text) => text.startsWith("through cuts"));
    await until(home, () => through().length === 30);
    assert.equal(new Set(through()).size, 30);
    const seqs = home.posts.map(({ seq }) => seq);
    assert.deepEqual(seqs, [...seqs].sort((a, b) => b - a));
  });

  test("state reached by events is the state fetched", async () => {
    const home = bob.client.feed("home");
    const watched = home.posts;
    const { posts } = await bob.client.request("feed.page", { feed: "home", limit: 100 });
    assert.deepEqual(watched, posts.slice(0, watched.length));
  });

  test("older posts come page by page, without gaps or repeats", async () => {
    const carol = await arrives("carol");
    await carol.client.follow(bob.id);
    const home = await carol.client.feed("home", { limit: 7 }).ready();
    while (home.hasOlder) await home.loadOlder();
    const { posts } = await carol.client.request("feed.page", { feed: "home", limit: 100 });
    assert.deepEqual(home.posts.map(({ id }) => id), posts.map(({ id }) => id));
  });

  test("a reaction on one device is known on the other; a block ends the feed of the one who is blocked", async () => {
    const { post } = await ann.client.createPost("look at this #thing");
    const second = new Client({ url, WebSocket, getToken: () => bob.tokens.access_token });
    everybody.push(second);
    second.connect();
    await second.feed("me").ready();
    second.numbers.want(post.id);
    await until(second.numbers, () => second.numbers.of(post.id).mine);
    await bob.client.react(post.id, "party");
    await until(second.numbers, () => second.numbers.of(post.id).mine.reaction === "party" && second.numbers.of(post.id).counts.reactions.party === 1);
    const { post: quote } = await bob.client.createPost("indeed", { of: post.id });
    second.references.of(quote.of);
    await until(second.references, () => second.references.of(quote.of).post?.text === "look at this #thing");
    const hers = await second.feed(`user:${ann.id}`).ready();
    await ann.client.block(bob.id);
    await until(hers, () => hers.state === "unsubscribed");
    await until(second.references, () => second.references.of(quote.of).state === "refused");
    await ann.client.unblock(bob.id);
    await bob.client.follow(ann.id);
  });

  test("what others do is told to ann in notifications, and read once", async () => {
    const feed = await ann.client.feed("notifications").ready();
    const { post } = await ann.client.createPost("what do you think?");
    await bob.client.createComment(post.id, "a lot");
    await until(feed, () => feed.notifications.some(({ kind, post: of, read }) => kind === "comment" && of === post.id && !read));
    await ann.client.notificationsRead({ upTo: feed.notifications[0].seq });
    await until(feed, () => feed.reading.unread === 0 && feed.notifications.every(({ read }) => read));
  });

  test("refusals are typed", async () => {
    await assert.rejects(ann.client.createPost(" "), { code: "invalid", field: "text", retryable: false });
    await assert.rejects(ann.client.request("post.like"), { code: "unknown_method" });
    await assert.rejects(ann.client.getUser({ handle: "nobody_at_all" }), { code: "not_found" });
    await assert.rejects(ann.rest.login({ login: ann.handle, password: "wrong password" }), { code: "bad_credentials" });
    await assert.rejects(ann.client.feed(`post:${uuidv7()}`).ready(), { code: "not_found" });
  });

  test("somebody without a token reads global and nothing more", async () => {
    const guest = new Client({ url, WebSocket });
    everybody.push(guest);
    const global = guest.feed("global");
    const home = guest.feed("home");
    const refused = assert.rejects(home.ready(), { code: "unauthorized" });
    guest.connect();
    await global.ready();
    await refused;
    assert.equal(guest.user, null);
    await assert.rejects(guest.createPost("hello"), { code: "unauthorized" });
  });

  test("a refreshed token goes on, and logging out ends the live connection for good", async () => {
    const dora = await arrives("dora");
    await dora.client.feed("me").ready();
    const newer = await dora.rest.refresh(dora.tokens.refresh_token);
    assert.ok((await dora.client.request("auth.refresh", { token: newer.access_token })).expires_at > Date.now());
    const ended = new Promise((resolve) => dora.client.on("state", ({ state, code }) => { if (state === "connecting") resolve(code); }));
    await dora.rest.logout(newer.refresh_token);
    assert.equal(await ended, 4402);
  });

  test("the example bot answers who calls it, once, and ends by itself when its token is taken back", async () => {
    const { user: bot } = await ann.client.createBot(`echo_${uuidv7().slice(-8)}`, "Echo");
    const { token, secret } = await ann.client.createToken("in a test", ["read", "write"], { bot: bot.id });
    assert.deepEqual((await ann.client.tokens({ bot: bot.id })).tokens.map(({ id, name }) => [id, name]), [[token.id, "in a test"]]);
    const { post } = await ann.client.createPost("is anybody there? !echo");
    const thread = await ann.client.feed(`post:${post.id}`).ready();
    const program = fileURLToPath(new URL("../examples/echo_bot.js", import.meta.url));
    const running = spawn(process.execPath, [program, url], { env: { ...process.env, TIDINGS_TOKEN: secret, TIDINGS_WS: borrowed?.resolve("ws") }, stdio: "ignore" });
    const ended = once(running, "exit");
    try {
      await until(thread, () => thread.commentCount === 1);
      assert.deepEqual([thread.thread[0].comment.author.id, thread.thread[0].comment.text], [bot.id, "You said: is anybody there? !echo"]);
      await ann.client.updatePost(post.id, "is anybody still there? !echo");
      await ann.client.revokeToken(token.id);
      assert.deepEqual(await ended, [1, null]);
      assert.equal(thread.commentCount, 1);
    } finally {
      running.kill();
    }
    assert.equal((await ann.client.deleteBot(bot.id)).user.bot.stopped, true);
  });

  test("the firehose tells a program what its filter asks for, and a token without its scope nothing", async () => {
    const { secret } = await ann.client.createToken("archive", ["firehose"]);
    const { secret: reader } = await ann.client.createToken("reader", ["read"]);
    const [archive, refused] = [secret, reader].map((token) => new Client({ url, WebSocket, token }));
    everybody.push(archive, refused);
    for (const one of [archive, refused]) one.connect();
    await assert.rejects(refused.feed("firehose").ready(), { code: "forbidden" });
    const tag = `rain${uuidv7().slice(-8)}`;
    const stream = await archive.feed("firehose", { filter: { kinds: ["post"], tags: [tag] } }).ready();
    const told = [];
    const heard = new Promise((resolve) => stream.on("post.created", ({ text }) => { told.push(text); if (text.startsWith("wet")) resolve(); }));
    await ann.client.createPost("dry");
    await ann.client.createPost(`wet #${tag}`);
    await heard;
    assert.deepEqual([told, stream.posts], [[`wet #${tag}`], []]);
  });

  test("less is told where less is wanted: how many, then everything again", async () => {
    const eve = await arrives("eve");
    await eve.client.follow(ann.id);
    const home = await eve.client.feed("home", { mode: "count" }).ready();
    const counted = new Promise((resolve) => home.on("news", ({ count }) => { if (count === 2) resolve(); }));
    for (const text of ["counted one", "counted two"]) await ann.client.createPost(text);
    await counted;
    assert.ok(!texts(home).includes("counted two"));
    await home.setMode("ids");
    assert.deepEqual(texts(home).slice(0, 2), ["counted two", "counted one"]);
    const changed = new Promise((resolve) => home.once("feed.changed", resolve));
    const { post } = await ann.client.createPost("by its id");
    assert.equal((await changed).id, post.id);
    assert.equal((await home.fetch(post.id)).text, "by its id");
    assert.equal(texts(home)[0], "by its id");
  });
});
