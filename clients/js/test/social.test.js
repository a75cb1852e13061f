/** What is kept beside the feeds, and feeds that end: against a server played by hand. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Client, Entities, Numbers, References } from "../src/index.js";
import { FakeSocket, ann, emptyFeed, postOf, settle } from "./fake_socket.js";

const bob = { id: "b", rev: 1, handle: "bob", name: "Bob" };
const counts = (post, seq, reactions = {}) => ({ post, seq, comments: 0, reposts: 0, quotes: 0, reactions });
const open = [];
beforeEach(() => {
  FakeSocket.opened = [];
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
});
afterEach(() => { for (const client of open.splice(0)) client.close(); });

async function connected(names = [], start = {}) {
  const client = new Client({ url: "http://127.0.0.1:1", WebSocket: FakeSocket, network: new EventTarget(), random: () => 0.5 });
  open.push(client);
  const feeds = names.map((name) => client.feed(name));
  client.connect();
  await settle();
  FakeSocket.last.accepts();
  FakeSocket.last.welcomes({ user: ann, feeds: names.map((name) => emptyFeed(name, start[name])) });
  await settle();
  return { client, socket: FakeSocket.last, feeds };
}

test("a post's feed ends with its post; it is not named again, and can be opened anew", async () => {
  const { client, socket, feeds: [feed] } = await connected(["post:p"], { "post:p": { post: postOf("p", 5) } });
  socket.says({ feed: "post:p", seq: 11, event: "post.removed", data: { id: "p", rev: 11 } });
  assert.deepEqual([feed.state, feed.code, feed.post], ["unsubscribed", "not_found", null]);
  await assert.rejects(feed.ready(), { code: "not_found" });
  socket.ends(1006);
  mock.timers.tick(1_000);
  await settle();
  FakeSocket.last.accepts();
  assert.deepEqual(FakeSocket.last.asked("hello").params.feeds, []);
  assert.notEqual(client.feed("post:p"), feed);
});

test("a person's feed that comes back empty is over; an empty home is not", async () => {
  const { socket, feeds: [user, home] } = await connected(["user:b", "home"], { "user:b": { user: bob, posts: [postOf("p", 5)] } });
  assert.equal(user.posts.length, 1);
  for (const feed of ["user:b", "home"]) socket.says({ feed, seq: 12, event: "feed.resync", data: { feed, seq: 12, posts: [], next: null } });
  assert.deepEqual([user.state, user.posts.length, home.state], ["unsubscribed", 0, "subscribed"]);
});

test("notifications move when somebody comes in, count by the last word, and are read by either sign", () => {
  const feed = new Entities("notifications");
  const one = (id, seq, rev = seq, more = {}) => ({ id, seq, rev, kind: "reaction", actors: [bob], count: 1, at: 0, ...more });
  feed.replace({ feed: "notifications", seq: 20, next: "k-8", notifications: [one("n2", 9), one("n1", 8)], reading: { rev: 3, seen: 9, read: 8, unread: 1 } });
  assert.deepEqual(feed.notifications.map(({ id, read }) => [id, read]), [["n2", false], ["n1", true]]);
  feed.apply({ event: "notification.updated", seq: 21, data: { ...one("n1", 21), unread: 2 } });
  assert.deepEqual([feed.notifications.map(({ id }) => id), feed.reading.unread], [["n1", "n2"], 2]);
  feed.apply({ event: "notification.updated", seq: 20, data: { ...one("n9", 7), unread: 9 } });
  assert.deepEqual([feed.notifications.length, feed.reading.unread], [2, 2]);
  feed.apply({ event: "notification.read", seq: 22, data: { rev: 22, seen: 21, read: 21, unread: 0 } });
  assert.ok(feed.notifications.every(({ read }) => read));
  feed.apply({ event: "notification.removed", seq: 23, data: { id: "n2", rev: 23, unread: 0 } });
  feed.addPage({ notifications: [one("n2", 9)], next: null });
  assert.deepEqual([feed.notifications.map(({ id }) => id), feed.reading.unread], [["n1", "n9"], 0]);
});

test("blocks and mutes are there until they end", () => {
  const me = new Entities("me");
  me.replace({ feed: "me", seq: 10, next: null, blocks: [{ rev: 4, blocker: "a", blocked: "b" }], mutes: [] });
  me.apply({ event: "mute.created", data: { rev: 12, muter: "a", muted: "c", until: 99 } });
  me.apply({ event: "block.removed", data: { rev: 11, blocker: "a", blocked: "b" } });
  me.apply({ event: "block.created", data: { rev: 9, blocker: "a", blocked: "b" } });
  assert.deepEqual([[...me.blocks.keys()], me.mutes.get("c").until], [[], 99]);
});

test("numbers: many wishes are one request, and the higher seq stays", async () => {
  const asked = [];
  const numbers = new Numbers(async (ids) => {
    asked.push(ids);
    return { stats: ids.map((id) => ({ ...counts(id, 10, { like: 1 }), mine: { reaction: "like" } })) };
  });
  for (const id of ["p", "q", "p"]) numbers.want(id);
  mock.timers.tick(50);
  await settle();
  assert.deepEqual(asked, [["p", "q"]]);
  numbers.counted({ event: "counts", ...counts("p", 12, { like: 3 }) });
  numbers.counted({ event: "counts", ...counts("p", 11, { like: 9 }) });
  assert.deepEqual([numbers.of("p").counts.reactions, numbers.of("p").mine], [{ like: 3 }, { reaction: "like" }]);
  numbers.want("p");
  mock.timers.tick(50);
  assert.equal(asked.length, 1);
});

test("what one did on another device is one's own here, also where an older answer comes late", async () => {
  let answer;
  const numbers = new Numbers(() => new Promise((resolve) => { answer = resolve; }));
  numbers.want("p");
  mock.timers.tick(50);
  answer({ stats: [{ ...counts("p", 10), mine: {} }] });
  await settle();
  numbers.want("p", { again: true });
  mock.timers.tick(50);
  numbers.marked("p", "reaction", "party", 11);
  numbers.marked("p", "reaction", "sad", 11);
  answer({ stats: [{ ...counts("p", 10), mine: {} }] });
  await settle();
  assert.equal(numbers.of("p").mine.reaction, "party");
});

test("a post that others hand on is fetched once, follows its edits, and goes where it is refused", async () => {
  const asked = [];
  const references = new References(async (id) => {
    asked.push(id);
    if (id === "q") throw Object.assign(new Error("no"), { code: "not_found", retryable: false });
    return { post: postOf(id, 5) };
  });
  assert.equal(references.of("p").state, "loading");
  references.of("p");
  references.of("q");
  await settle();
  assert.deepEqual([asked, references.of("p").post.text, references.of("q").state], [["p", "q"], "p@5", "refused"]);
  references.met(postOf("p", 5, 9));
  assert.equal(references.of("p").post.text, "p@9");
  references.removed({ id: "p", rev: 10 });
  assert.deepEqual(references.of("p"), { state: "refused", post: null });
});

test("who types is shown for six seconds, or until their comment comes; a lost line ends all of it", async () => {
  const { client, socket } = await connected(["post:p"], { "post:p": { post: postOf("p", 5) } });
  const { moment } = client;
  const names = () => moment.typing("p").map(({ user }) => user.name);
  socket.says({ event: "typing", post: "p", users: [bob] });
  socket.says({ event: "readers", post: "p", count: 3 });
  assert.deepEqual([names(), moment.readers("p")], [["Bob"], 3]);
  mock.timers.tick(5_000);
  socket.says({ event: "typing", post: "p", users: [bob] });
  mock.timers.tick(5_000);
  assert.deepEqual(names(), ["Bob"]);
  mock.timers.tick(1_000);
  assert.deepEqual(names(), []);
  socket.says({ event: "typing", post: "p", users: [bob] });
  socket.says({ feed: "post:p", seq: 11, event: "comment.created", data: { id: "c", rev: 11, seq: 11, post: "p", depth: 0, author: bob, text: "hi", created_at: 0 } });
  assert.deepEqual(names(), []);
  socket.says({ event: "typing", post: "p", users: [bob] });
  socket.ends(1006);
  assert.deepEqual([names(), moment.readers("p")], [[], null]);
});

test("whose status one hears is asked again on every connection", async () => {
  const { client, socket } = await connected(["home"]);
  const watching = client.moment.watch(["b"]);
  await settle();
  socket.answers("presence.watch", { users: [{ id: "b", status: "online" }] });
  await watching;
  socket.says({ event: "presence", users: [{ id: "b", status: "idle" }] });
  assert.equal(client.moment.presence("b").status, "idle");
  socket.ends(1006);
  assert.equal(client.moment.presence("b"), null);
  mock.timers.tick(1_000);
  await settle();
  FakeSocket.last.accepts();
  FakeSocket.last.welcomes({ resumed: true, feeds: [{ feed: "home", status: "live" }] });
  await settle();
  assert.deepEqual(FakeSocket.last.asked("presence.watch").params, { ids: ["b"] });
});

test("a feed that tells new posts in part alone says so, until it is over or another node answers", async () => {
  const { client, socket } = await connected(["global"], { global: { posts: [] } });
  const feed = client.feed("global");
  const heard = [];
  feed.on("change", ({ cause }) => heard.push(cause));
  socket.says({ event: "sampled", feed: "global", one_in: 4 });
  socket.says({ event: "sampled", feed: "tag:elsewhere", one_in: 2 });
  assert.deepEqual([feed.oneIn, heard], [4, ["sampled"]]);
  socket.says({ event: "sampled", feed: "global", one_in: 1 });
  assert.equal(feed.oneIn, 1);
  socket.says({ event: "sampled", feed: "global", one_in: 2 });
  socket.ends(1006);
  mock.timers.tick(1_000);
  await settle();
  FakeSocket.last.accepts();
  FakeSocket.last.welcomes({ resumed: true, feeds: [{ feed: "global", status: "live" }] });
  await settle();
  assert.equal(feed.oneIn, 1);
});
