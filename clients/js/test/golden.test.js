/** The golden frames that the server's own tests read too: both sides speak of the same wire. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { Client, Entities, TidingsError, afterClose, matchesFilter } from "../src/index.js";
import { FakeSocket, settle } from "./fake_socket.js";

const golden = (name) => JSON.parse(readFileSync(new URL(`../../../protocol/wire/${name}.json`, import.meta.url), "utf8")).frames;

/** Also where a test fails: a client that is left open keeps the program from ending. */
const open = [];
afterEach(() => { for (const client of open.splice(0)) client.close(); });

async function welcomed(welcome) {
  const client = new Client({ url: "http://127.0.0.1:1", WebSocket: FakeSocket });
  open.push(client);
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

test("a keyword filter matches what the server's own rule matches", () => {
  const frames = golden("filters");
  assert.ok(frames.length > 40);
  for (const { name, text, matches, ...filter } of frames) assert.equal(matchesFilter(filter, text), matches, name);
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

