/** The client against a server played by hand: coming back, resuming, and what is sent twice or never. */
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Client } from "../src/index.js";
import { FakeSocket, emptyFeed, postOf, settle } from "./fake_socket.js";

let network;
beforeEach(() => {
  network = new EventTarget();
  FakeSocket.opened = [];
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
});

/** A client and its socket, welcomed. */
async function connected({ feeds = [], ...options } = {}) {
  const client = new Client({ url: "http://127.0.0.1:1", WebSocket: FakeSocket, network, random: () => 0.5, ...options });
  const watched = feeds.map((name) => client.feed(name));
  client.connect();
  await settle();
  FakeSocket.last.accepts();
  FakeSocket.last.welcomes();
  await settle();
  return { client, socket: FakeSocket.last, watched };
}

/** Time passes, step by step, so that what is due by a timer set meanwhile comes too. */
async function passes(ms) {
  for (let step = 0; step < 20; step += 1) {
    mock.timers.tick(ms / 20);
    await settle();
  }
}

test("disconnected, connecting, connected: each with a code and a reason", async () => {
  const seen = [];
  const client = new Client({ url: "https://tidings.example", WebSocket: FakeSocket, network });
  client.on("state", ({ state, code, reason }) => seen.push([state, code, reason]));
  assert.equal(client.state, "disconnected");
  client.connect();
  await settle();
  assert.equal(FakeSocket.last.url, "wss://tidings.example/api/v1/ws");
  assert.deepEqual(FakeSocket.last.protocols, ["tidings.v1.json"]);
  FakeSocket.last.accepts();
  FakeSocket.last.welcomes();
  FakeSocket.last.ends(4008, "slow");
  client.close();
  assert.deepEqual(seen, [
    ["connecting", 0, "connect"], ["connected", 0, "welcome"], ["connecting", 4008, "slow"], ["disconnected", 1000, "disconnect"],
  ]);
});

test("hello comes first, with the feeds; the token only there", async () => {
  const { socket } = await connected({ feeds: ["home", "me"], getToken: () => "secret" });
  assert.deepEqual(socket.sent[0].params, { client: "tidings-js/0.1", feeds: ["home", "me"], token: "secret" });
  assert.ok(!socket.url.includes("secret"));
});

test("a lost line is taken up again with the cursor of the last push", async () => {
  const { socket, watched: [home] } = await connected({ feeds: ["home"] });
  socket.says({ feed: "home", seq: 14, event: "post.created", data: postOf("one", 14) });
  socket.ends(1006);
  assert.equal(home.state, "subscribing");
  await passes(500);
  const next = FakeSocket.last;
  assert.notEqual(next, socket);
  next.accepts();
  assert.equal(next.asked("hello").params.cursor, "k3f9-14");
  next.welcomes({ resumed: true, cursor: "k3f9-14", feeds: [{ feed: "home", status: "live" }] });
  assert.deepEqual([home.state, home.code, home.posts.length], ["subscribed", "resumed", 1]);
  next.says({ feed: "home", seq: 14, event: "post.created", data: postOf("one", 14) });
  next.says({ feed: "home", seq: 15, event: "post.created", data: postOf("two", 15) });
  assert.deepEqual(home.posts.map(({ id }) => id), ["two", "one"]);
});

test("a feed without a state is not resumed but begun", async () => {
  const { client, socket } = await connected({ feeds: ["home"] });
  client.feed("global");
  await settle();
  assert.equal(socket.asked("feed.subscribe").params.feed, "global");
  socket.ends(1006);
  await passes(500);
  FakeSocket.last.accepts();
  assert.deepEqual(FakeSocket.last.asked("hello").params.feeds, ["home"]);
  FakeSocket.last.welcomes({ resumed: true, feeds: [{ feed: "home", status: "live" }] });
  await settle();
  FakeSocket.last.answers("feed.subscribe", emptyFeed("global"));
  await settle();
  assert.equal(client.feed("global").state, "subscribed");
});

test("a create whose answer was lost is sent again with the same id; the answer is one", async () => {
  const { client, socket } = await connected();
  const created = client.createPost("hello");
  const first = socket.asked("post.create").params;
  assert.match(first.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
  socket.ends(1006);
  await passes(500);
  FakeSocket.last.accepts();
  FakeSocket.last.welcomes();
  assert.deepEqual(FakeSocket.last.asked("post.create").params, first);
  FakeSocket.last.answers("post.create", { post: postOf(first.id, 11), seq: 11, duplicate: true });
  assert.equal((await created).duplicate, true);
});

test("an edit with if_rev is not sent twice: its outcome is unknown, and it says so", async () => {
  const { client, socket } = await connected();
  const edited = client.updatePost("p", "text", { ifRev: 3 });
  socket.ends(1006);
  await assert.rejects(edited, { name: "TidingsError", code: "connection_lost", retryable: true });
});

test("requests keep their order through a reconnect", async () => {
  const { client, socket } = await connected();
  const all = ["a", "b", "c"].map((id) => client.getPost(id));
  socket.ends(1006);
  all.push(client.getPost("d"));
  await passes(500);
  FakeSocket.last.accepts();
  FakeSocket.last.welcomes();
  assert.deepEqual(FakeSocket.last.sent.slice(1).map(({ params }) => params.id), ["a", "b", "c", "d"]);
  client.close();
  for (const one of all) await assert.rejects(one, { code: "closed" });
});

test("no more requests are in flight than the server allows", async () => {
  const { client, socket } = await connected();
  for (let number = 0; number < 70; number += 1) client.getPost(`${number}`).catch(() => {});
  assert.equal(socket.sent.length, 1 + 64);
  socket.says({ id: socket.sent[1].id, result: {} });
  assert.equal(socket.sent.length, 1 + 65);
  client.close();
});

test("a refusal is a typed error; a passing one of a create is tried again when the server says", async () => {
  const { client, socket } = await connected();
  const refused = client.createPost("");
  socket.refuses("post.create", "invalid", { field: "text" });
  await assert.rejects(refused, { code: "invalid", field: "text", retryable: false });
  const slowed = client.createPost("later");
  const { id, params } = socket.asked("post.create");
  socket.refuses("post.create", "rate_limited", { retry: true, retry_after_ms: 1200 });
  await passes(1100);
  assert.equal(socket.asked("post.create").id, id);
  await passes(200);
  assert.notEqual(socket.asked("post.create").id, id);
  assert.deepEqual(socket.asked("post.create").params, params);
  socket.answers("post.create", { seq: 1 });
  assert.deepEqual(await slowed, { seq: 1 });
});

test("time-outs and signals end a request", async () => {
  const { client } = await connected();
  const slow = client.getPost("p", { timeoutMs: 300 });
  const stop = new AbortController();
  const stopped = client.getPost("p", { signal: stop.signal });
  stop.abort();
  await assert.rejects(stopped, { code: "aborted" });
  await Promise.all([assert.rejects(slow, { code: "timeout", retryable: true }), passes(400)]);
});

test("the token is asked for only where it is missing, over or rejected", async () => {
  const reasons = [];
  const { client, socket } = await connected({ getToken: ({ reason }) => { reasons.push(reason); return `t${reasons.length}`; } });
  socket.ends(1006);
  await passes(500);
  FakeSocket.last.accepts();
  assert.equal(FakeSocket.last.asked("hello").params.token, "t1");
  FakeSocket.last.refuses("hello", "bad_token");
  await passes(1000);
  FakeSocket.last.accepts();
  assert.equal(FakeSocket.last.asked("hello").params.token, "t2");
  FakeSocket.last.welcomes({ expires_at: Date.now() + 60_000 });
  FakeSocket.last.ends(4401, "token_expired");
  await passes(3000);
  FakeSocket.last.accepts();
  assert.equal(FakeSocket.last.asked("hello").params.token, "t3");
  assert.deepEqual(reasons, ["missing", "bad_token", "token_expired"]);
  client.close();
});

test("a token that runs out is renewed on the live connection", async () => {
  let made = 0;
  const { socket } = await connected({ getToken: () => `t${(made += 1)}` });
  socket.says({ event: "token_expiring", expires_at: Date.now() + 60_000 });
  await passes(20);
  assert.deepEqual(socket.asked("auth.refresh").params, { token: "t2" });
});

test("tokens that live no longer than their warning are renewed in peace", async () => {
  let made = 0;
  const { socket } = await connected({ getToken: () => `t${(made += 1)}` });
  for (let time = 0; time < 60; time += 1) {
    socket.says({ event: "token_expiring", expires_at: Date.now() + 60_000 });
    await passes(1000);
  }
  assert.ok(made > 2 && made < 9, `${made} tokens in a minute`);
});

test("numbers that say stop are obeyed, and said", async () => {
  const { client, socket } = await connected();
  socket.ends(4502, "too_many_connections");
  assert.equal(client.state, "disconnected");
  await passes(60_000);
  assert.equal(FakeSocket.opened.length, 1);
  client.retryNow();
  await settle();
  assert.equal(FakeSocket.opened.length, 2);
});

test("a source of tokens that says no for good ends the trying", async () => {
  const { TidingsError } = await import("../src/index.js");
  const client = new Client({ url: "http://127.0.0.1:1", WebSocket: FakeSocket, network, getToken: () => { throw new TidingsError({ code: "unauthorized", message: "logged out" }); } });
  client.connect();
  await settle();
  assert.equal(client.state, "disconnected");
});

test("the browser's word that it is online ends the waiting", async () => {
  const { socket } = await connected({ random: () => 0.999 });
  network.dispatchEvent(new Event("offline"));
  assert.equal(socket.closedWith, 1000);
  for (let failures = 0; failures < 5; failures += 1) {
    await passes(20_000);
    FakeSocket.last.ends(1006);
  }
  const before = FakeSocket.opened.length;
  network.dispatchEvent(new Event("online"));
  await settle();
  assert.equal(FakeSocket.opened.length, before + 1);
});

test("a silent line is given up", async () => {
  const { client, socket } = await connected();
  await passes(61_000);
  assert.equal(client.state, "connected");
  await passes(3_000);
  assert.equal(socket.closedWith, 1000);
  assert.notEqual(FakeSocket.last, socket);
});

test("a node that leaves is left at once, and the wait is the one it told", async () => {
  const { client, socket } = await connected();
  socket.says({ event: "going_away", reconnect_after_ms: 4_000, cursor: "k3f9-99" });
  await passes(100);
  assert.equal(socket.closedWith, 1000);
  await passes(3_500);
  assert.equal(FakeSocket.last, socket);
  await passes(600);
  FakeSocket.last.accepts();
  assert.equal(client.cursor, "k3f9-99");
});

test("a resync replaces what a feed held, and a page of before is dropped", async () => {
  const { client, socket } = await connected({ feeds: [] });
  const home = client.feed("home");
  socket.answers("feed.subscribe", emptyFeed("home", { posts: [postOf("one", 9)], next: "k3f9-9" }));
  await settle();
  const loading = home.loadOlder();
  assert.equal(home.loadOlder(), loading);
  socket.says({ feed: "home", seq: 20, event: "feed.resync", data: { feed: "home", seq: 20, posts: [postOf("two", 20)], next: null } });
  socket.answers("feed.page", { posts: [postOf("older", 3)], next: null });
  await loading;
  assert.deepEqual(home.posts.map(({ id }) => id), ["two"]);
});

test("a closed feed is unsubscribed; opened again at once it stays", async () => {
  const { client, socket } = await connected({ feeds: ["home", "global"] });
  client.feed("home").close();
  client.feed("global").close();
  client.feed("global");
  await settle();
  assert.deepEqual(socket.sent.slice(1).map(({ method, params }) => [method, params.feed]), [["feed.subscribe", "global"], ["feed.unsubscribe", "home"]]);
});

test("a feed that may not be watched says why", async () => {
  const client = new Client({ url: "http://127.0.0.1:1", WebSocket: FakeSocket, network });
  const home = client.feed("home");
  client.connect();
  await settle();
  FakeSocket.last.accepts();
  const refused = assert.rejects(home.ready(), { code: "unauthorized" });
  FakeSocket.last.welcomes({ feeds: [{ feed: "home", status: "refused", error: { code: "unauthorized", message: "log in first", retry: false } }] });
  await refused;
  assert.equal(home.state, "unsubscribed");
  client.close();
});

test("a person renamed in one feed is renamed in all", async () => {
  const { socket, watched: [home, global] } = await connected({ feeds: ["home", "global"] });
  const post = postOf("one", 14);
  socket.says({ feed: "global", seq: 14, event: "post.created", data: post });
  let told = 0;
  global.on("change", () => { told += 1; });
  socket.says({ feed: "home", seq: 15, event: "user.updated", data: { ...post.author, rev: 15, name: "Anna" } });
  assert.equal(global.person(post.author).name, "Anna");
  assert.equal(home.person(post.author).name, "Anna");
  assert.equal(told, 1);
});

test("a program's token is sent as it is, and where it ends everything ends, with the server's number", async () => {
  const { client, socket } = await connected({ token: "tid_secret" });
  assert.equal(socket.sent[0].params.token, "tid_secret");
  socket.ends(1006);
  await passes(1000);
  FakeSocket.last.accepts();
  assert.equal(FakeSocket.last.asked("hello").params.token, "tid_secret");
  FakeSocket.last.welcomes();
  const ended = [];
  client.on("state", ({ state, code, reason }) => ended.push([state, code, reason]));
  FakeSocket.last.ends(4402, "session_ended");
  await passes(60_000);
  assert.deepEqual([ended, FakeSocket.opened.length], [[["disconnected", 4402, "session_ended"]], 2]);
});

test("a program's token that the server would not take is not tried again", async () => {
  const client = new Client({ url: "http://127.0.0.1:1", WebSocket: FakeSocket, network, token: "tid_old" });
  client.connect();
  await settle();
  FakeSocket.last.accepts();
  FakeSocket.last.refuses("hello", "bad_token");
  await passes(60_000);
  assert.deepEqual([client.state, FakeSocket.opened.length], ["disconnected", 1]);
});

test("what changes is told by ids: removed things go, the rest is known to be older than it is, and can be fetched", async () => {
  const { socket, watched: [home] } = await connected({ feeds: ["home"] });
  socket.says({ feed: "home", seq: 11, event: "post.created", data: postOf("one", 11) });
  const moded = home.setMode("ids");
  await settle();
  socket.answers("feed.mode", { feed: "home", mode: "ids", cursor: "k3f9-11" });
  await moded;
  const told = [];
  home.on("feed.changed", ({ event, id }) => told.push([event, id]));
  const changed = (seq, event, id) => socket.says({ feed: "home", seq, event: "feed.changed", data: { event, id, rev: seq } });
  changed(12, "post.created", "two");
  changed(12, "post.created", "two");
  changed(13, "post.removed", "one");
  changed(14, "post.updated", "two");
  assert.deepEqual([told, [...home.changed.keys()], home.posts], [[["post.created", "two"], ["post.removed", "one"], ["post.updated", "two"]], ["two"], []]);
  const fetched = home.fetch("two");
  socket.answers("post.get", { post: postOf("two", 12, 14) });
  assert.equal((await fetched).text, "two@14");
  assert.deepEqual([home.changed.size, home.posts.map(({ id }) => id)], [0, ["two"]]);
  changed(15, "post.updated", "two");
  const gone = home.fetch("two");
  socket.refuses("post.get", "not_found");
  assert.equal(await gone, null);
  assert.deepEqual([home.changed.size, home.posts], [0, []]);
});

test("counting: how many are new is told, the mode comes back with the line, and full begins afresh", async () => {
  const { client, socket } = await connected();
  const home = client.feed("home", { mode: "count" });
  assert.deepEqual(socket.asked("feed.subscribe").params, { feed: "home", mode: "count" });
  socket.answers("feed.subscribe", emptyFeed("home", { posts: [postOf("one", 9)] }));
  await settle();
  const heard = [];
  home.on("news", ({ count }) => heard.push(count));
  socket.says({ event: "news", feed: "home", count: 7, since: "k3f9-10" });
  assert.deepEqual([heard, home.news, home.posts.length], [[7], { count: 7, since: "k3f9-10" }, 1]);
  socket.ends(1006);
  await passes(500);
  FakeSocket.last.accepts();
  assert.deepEqual(FakeSocket.last.asked("hello").params.modes, { home: "count" });
  FakeSocket.last.welcomes({ resumed: true, feeds: [{ feed: "home", status: "live" }] });
  const full = client.setMode("home", "full");
  await settle();
  FakeSocket.last.answers("feed.mode", { feed: "home", mode: "full", cursor: "k3f9-20", snapshot: { feed: "home", seq: 20, posts: [postOf("two", 20)], next: null } });
  await full;
  assert.deepEqual([home.mode, home.news, home.posts.map(({ id }) => id)], ["full", null, ["two"]]);
  FakeSocket.last.says({ event: "news", feed: "home", count: 9, since: "k3f9-10" });
  assert.equal(home.news, null);
});

test("the firehose is a stream: told once each, nothing kept, its filter said again where it goes on", async () => {
  const { client, socket } = await connected();
  const filter = { kinds: ["post"] };
  const stream = client.feed("firehose", { filter });
  assert.deepEqual(socket.asked("feed.subscribe").params, { feed: "firehose", filter });
  socket.answers("feed.subscribe", { feed: "firehose", seq: 10, next: null });
  await stream.ready();
  const told = [];
  stream.on("post.created", ({ id }) => told.push(id));
  stream.on("post.removed", ({ id }) => told.push(`-${id}`));
  socket.says({ feed: "firehose", seq: 11, event: "post.created", data: postOf("one", 11) });
  socket.ends(1006);
  await passes(500);
  FakeSocket.last.accepts();
  assert.deepEqual(FakeSocket.last.asked("hello").params.filter, filter);
  FakeSocket.last.welcomes({ resumed: true, feeds: [{ feed: "firehose", status: "live" }] });
  FakeSocket.last.says({ feed: "firehose", seq: 11, event: "post.created", data: postOf("one", 11) });
  FakeSocket.last.says({ feed: "firehose", seq: 12, event: "post.removed", data: { id: "one", rev: 12 } });
  assert.deepEqual([told, stream.posts], [["one", "-one"], []]);
});
