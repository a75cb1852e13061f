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
    } else if (of === "feed.changed") {
      assert.equal(feed.apply(frame), false, name); // Told by id alone: who asked for that reads the push itself.
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

test("what the library asks is what the server reads", async () => {
  const welcome = golden("replies").find(({ of }) => of === "hello").frame.result;
  const { client, socket } = await welcomed({ ...welcome, limits: { ...welcome.limits, requests_in_flight: 1_000 } });
  const ask = {
    "user.get": (p) => client.getUser(p),
    "user.update": (p) => client.updateUser({ name: p.name, bio: p.bio, avatar: p.avatar, asks: p.asks, ifRev: p.if_rev }),
    "user.follow": (p) => client.follow(p.id),
    "user.unfollow": (p) => client.unfollow(p.id),
    "user.block": (p) => client.block(p.id),
    "user.unblock": (p) => client.unblock(p.id),
    "user.mute": (p) => client.mute(p.id, { until: p.until }),
    "user.unmute": (p) => client.unmute(p.id),
    "post.create": (p) => client.createPost(p.text, p),
    "post.get": (p) => client.getPost(p.id),
    "post.update": (p) => client.updatePost(p.id, p.text, { ...p, ifRev: p.if_rev }),
    "post.history": (p) => client.getHistory(p.id),
    "post.react": (p) => client.react(p.id, p.emoji),
    "post.unreact": (p) => client.unreact(p.id),
    "post.bookmark": (p) => client.bookmark(p.id),
    "post.unbookmark": (p) => client.unbookmark(p.id),
    "post.pin": (p) => client.pin(p.id),
    "post.unpin": (p) => client.unpin(p.id),
    "bookmark.page": (p) => client.bookmarks(p),
    "notification.seen": (p) => client.notificationsSeen(p.up_to),
    "notification.read": (p) => client.notificationsRead({ ids: p.ids, upTo: p.up_to }),
    "notify.preferences": (p) => client.setPreferences(p),
    "settings.update": (p) => client.updateSettings(p),
    "draft.put": (p) => client.putDraft({ ...p, ifRev: p.if_rev }),
    "draft.delete": (p) => client.deleteDraft(p.id),
    "draft.page": (p) => client.drafts(p),
    "marker.set": (p) => client.setMarker(p.feed, p.seq),
    "presence.watch": (p) => client.moment.watch(p.ids),
    "presence.set": (p) => client.setPresence(p.status),
    "typing.send": (p) => client.typing(p.post, { parent: p.parent }),
    "account.password": (p) => client.changePassword(p.current, p.new),
    "account.email": (p) => client.changeEmail(p.password, p.email),
    "account.get": () => client.account(),
    "account.export": () => client.exportAccount(),
    "account.delete": (p) => client.deleteAccount(p.password),
    "session.list": () => client.logIns(),
    "session.revoke": (p) => client.endLogIn(p.id),
    "session.revoke_others": () => client.endOtherLogIns(),
    "post.delete": (p) => client.deletePost(p.id),
    "comment.create": (p) => client.createComment(p.post, p.text, { id: p.id, parent: p.parent }),
    "comment.update": (p) => client.updateComment(p.id, p.text, { ifRev: p.if_rev }),
    "post.lock": (p) => client.lock(p.id),
    "post.unlock": (p) => client.unlock(p.id),
    "post.slow": (p) => client.slow(p.id, p.seconds),
    "post.comments": (p) => client.whoComments(p.id, p.comments),
    "comment.delete": (p) => client.deleteComment(p.id),
    "comment.hide": (p) => client.hideComment(p.id),
    "comment.unhide": (p) => client.unhideComment(p.id),
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
