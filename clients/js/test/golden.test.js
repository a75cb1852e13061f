/** The golden frames that the server's own tests read too: both sides speak of the same wire. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Client, Entities, TidingsError, afterClose } from "../src/index.js";
import { FakeSocket, settle } from "./fake_socket.js";

const golden = (name) => JSON.parse(readFileSync(new URL(`../../../protocol/wire/${name}.json`, import.meta.url), "utf8")).frames;

async function welcomed(welcome) {
  const client = new Client({ url: "http://127.0.0.1:1", WebSocket: FakeSocket });
  const feeds = welcome.feeds.map(({ feed }) => client.feed(feed));
  client.connect();
  await settle();
  FakeSocket.last.accepts();
  FakeSocket.last.answers("hello", welcome);
  return { client, feeds, socket: FakeSocket.last };
}

test("every close number is sorted as the server sorts it", () => {
  const frames = golden("closes");
  assert.ok(frames.length > 14);
  for (const { number, after } of frames) assert.equal(afterClose(number), after, `${number}`);
});

test("every error keeps its code, its field and whether to try again", () => {
  for (const { of, frame: { error } } of golden("errors")) {
    const read = TidingsError.fromWire(error);
    assert.deepEqual([read.code, read.retryable, read.field, read.retryAfterMs], [of, error.retry, error.field, error.retry_after_ms]);
  }
});

test("every event is applied to its feed", () => {
  for (const { name, of, frame } of golden("events")) {
    const feed = new Entities(frame.feed);
    if (of === "feed.resync") {
      feed.replace(frame.data);
      assert.equal(feed.posts.length, frame.data.posts?.length ?? 0, name);
    } else {
      assert.equal(feed.apply(frame), true, name);
      assert.equal(feed.apply(frame), false, `${name}, again`);
    }
  }
});

test("every welcome starts its feeds", async () => {
  for (const { name, frame: { result } } of golden("replies").filter(({ of }) => of === "hello")) {
    const { client, feeds } = await welcomed(result);
    assert.equal(client.cursor, result.cursor, name);
    assert.deepEqual(client.user, result.user, name);
    result.feeds.forEach(({ status, posts }, at) => {
      assert.equal(feeds[at].state, status === "refused" ? "unsubscribed" : "subscribed", name);
      if (posts) assert.deepEqual(feeds[at].posts.map(({ id }) => id), posts.map(({ id }) => id), name);
    });
    client.close();
  }
});

test("every notice is understood: the cursor is kept", async () => {
  for (const { of, frame } of golden("notices")) {
    const { client, socket } = await welcomed(golden("replies").find(({ of }) => of === "hello").frame.result);
    const before = client.cursor;
    socket.says(frame);
    assert.equal(client.cursor, frame.cursor ?? before, of);
    client.close();
  }
});

test("what the library asks is what the server reads", async () => {
  const { client, socket } = await welcomed(golden("replies").find(({ of }) => of === "hello").frame.result);
  const ask = {
    "user.get": (p) => client.getUser(p),
    "user.update": (p) => client.updateUser({ name: p.name, bio: p.bio, ifRev: p.if_rev }),
    "user.follow": (p) => client.follow(p.id),
    "user.unfollow": (p) => client.unfollow(p.id),
    "post.create": (p) => client.createPost(p.text, { id: p.id }),
    "post.get": (p) => client.getPost(p.id),
    "post.update": (p) => client.updatePost(p.id, p.text, { ifRev: p.if_rev }),
    "post.delete": (p) => client.deletePost(p.id),
    "comment.create": (p) => client.createComment(p.post, p.text, { id: p.id, parent: p.parent }),
    "comment.update": (p) => client.updateComment(p.id, p.text, { ifRev: p.if_rev }),
    "comment.delete": (p) => client.deleteComment(p.id),
  };
  const seen = new Set();
  for (const { of, frame } of golden("requests").filter(({ of }) => ask[of])) {
    ask[of](frame.params).catch(() => {});
    assert.deepEqual({ ...socket.sent.at(-1), id: frame.id }, frame, of);
    seen.add(of);
  }
  assert.deepEqual([...seen].sort(), Object.keys(ask).sort());
  client.close();
});
