/** The `rev` rule: whatever order and however often events come, the state is the one that would be fetched (P4). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Entities } from "../src/index.js";
import { ann, postOf } from "./fake_socket.js";

const ids = (posts) => posts.map(({ id }) => id);
const snapshot = (feed, more) => ({ feed, seq: 10, next: null, ...more });
const commentOf = (id, seq, parent, more = {}) => ({ id, rev: seq, seq, post: "p", parent, depth: parent ? 1 : 0, author: ann, text: id, created_at: seq, ...more });
const shape = (nodes) => nodes.map(({ comment, answers }) => (answers.length ? [comment.id, shape(answers)] : comment.id));

test("posts are sorted by seq, newest first, and edits do not move them", () => {
  const home = new Entities("home");
  home.replace(snapshot("home", { posts: [postOf("two", 2), postOf("one", 1)] }));
  assert.equal(home.apply({ event: "post.created", data: postOf("three", 11) }), true);
  assert.equal(home.apply({ event: "post.updated", data: postOf("one", 1, 12) }), true);
  assert.deepEqual(ids(home.posts), ["three", "two", "one"]);
  assert.equal(home.posts[2].text, "one@12");
});

test("what is older or known changes nothing", () => {
  const home = new Entities("home");
  home.replace(snapshot("home", { posts: [postOf("one", 1, 5)] }));
  assert.equal(home.apply({ event: "post.updated", data: postOf("one", 1, 4) }), false);
  assert.equal(home.apply({ event: "post.updated", data: postOf("one", 1, 5) }), false);
  assert.equal(home.posts[0].rev, 5);
});

test("a removal is remembered against an older state that comes late", () => {
  const home = new Entities("home");
  home.replace(snapshot("home", {}));
  home.apply({ event: "post.removed", data: { id: "one", rev: 12 } });
  home.addPage({ posts: [postOf("one", 1, 11)], next: null });
  assert.deepEqual(home.posts, []);
  assert.equal(home.apply({ event: "post.updated", data: postOf("one", 1, 13) }), true);
  assert.deepEqual(ids(home.posts), ["one"]);
});

test("a resync forgets removals too: what may be seen again is shown again", () => {
  const home = new Entities("home");
  home.replace(snapshot("home", {}));
  home.apply({ event: "post.removed", data: { id: "one", rev: 12 } });
  home.replace(snapshot("home", { seq: 20, posts: [postOf("one", 1)] }));
  assert.deepEqual(ids(home.posts), ["one"]);
});

test("a post below the loaded pages waits for its page instead of hiding the gap", () => {
  const home = new Entities("home");
  home.replace(snapshot("home", { posts: [postOf("nine", 9), postOf("eight", 8)], next: "k-8" }));
  home.apply({ event: "post.updated", data: postOf("two", 2, 11) });
  assert.deepEqual(ids(home.posts), ["nine", "eight"]);
  home.addPage({ posts: [postOf("seven", 7), postOf("two", 2)], next: null });
  assert.deepEqual(ids(home.posts), ["nine", "eight", "seven", "two"]);
  assert.equal(home.posts.at(-1).rev, 11);
});

test("comments are a tree, oldest first; one without its parent is an orphan", () => {
  const post = new Entities("post:p");
  post.replace(snapshot("post:p", { post: postOf("p", 1), comments: [commentOf("c3", 4, "c1"), commentOf("c2", 3), commentOf("c1", 2)] }));
  post.apply({ event: "comment.created", data: commentOf("c4", 11, "c3") });
  assert.deepEqual(shape(post.thread), [["c1", [["c3", ["c4"]]]], "c2"]);
  post.apply({ event: "comment.created", data: commentOf("c5", 12, "unknown") });
  assert.equal(post.thread.find(({ comment }) => comment.id === "c5").orphan, true);
  assert.equal(post.commentCount, 5);
});

test("a removed comment holds its answers in place, and goes with the last of them", () => {
  const post = new Entities("post:p");
  post.replace(snapshot("post:p", { post: postOf("p", 1), comments: [commentOf("c1", 2), commentOf("c2", 3, "c1")] }));
  post.apply({ event: "comment.removed", data: { id: "c1", rev: 11 } });
  const [place] = post.thread;
  assert.deepEqual([place.comment.removed, place.comment.text, place.comment.author], [true, undefined, undefined]);
  assert.equal(post.commentCount, 1);
  assert.equal(post.apply({ event: "comment.updated", data: commentOf("c1", 2, undefined, { rev: 9 }) }), false);
  post.apply({ event: "comment.removed", data: { id: "c2", rev: 12 } });
  assert.deepEqual(post.thread, []);
});

test("a placeholder in a page stands in for a removal that was only heard of", () => {
  const post = new Entities("post:p");
  post.replace(snapshot("post:p", { post: postOf("p", 1), next: "k-5" }));
  post.apply({ event: "comment.removed", data: { id: "c1", rev: 11 } });
  const { author, text, ...place } = commentOf("c1", 2, undefined, { rev: 11, removed: true });
  post.addPage({ comments: [commentOf("c2", 3, "c1"), place], next: null });
  assert.deepEqual(shape(post.thread), [["c1", ["c2"]]]);
});

test("a newer profile renames an author everywhere, an older one nowhere", () => {
  const home = new Entities("home");
  home.replace(snapshot("home", { posts: [postOf("one", 1)] }));
  home.apply({ event: "user.updated", data: { ...ann, rev: 12, name: "Anna", bio: "", role: "user", created_at: 0 } });
  assert.equal(home.person(home.posts[0].author).name, "Anna");
  home.apply({ event: "user.updated", data: { ...ann, rev: 11, name: "Old" } });
  assert.equal(home.person(home.posts[0].author).name, "Anna");
});

test("whom one follows is merged by rev as well", () => {
  const me = new Entities("me");
  me.replace(snapshot("me", { user: ann, follows: ["b"] }));
  me.apply({ event: "follow.removed", data: { rev: 12, follower: "a", followee: "b" } });
  me.apply({ event: "follow.created", data: { rev: 11, follower: "a", followee: "b" } });
  me.apply({ event: "follow.created", data: { rev: 13, follower: "a", followee: "c" } });
  assert.deepEqual([...me.follows], ["c"]);
});

test("any order with any repeats reaches the state of a list that forgets nothing", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = generator(seed);
    const events = story(random);
    const last = new Map(); // The plain list: of each post its last word.
    for (const event of events) last.set(event.data.id, event);
    const expected = [...last.values()].filter(({ event }) => event !== "post.removed").map(({ data }) => data).sort((a, b) => b.seq - a.seq);
    const home = new Entities("home");
    home.replace(snapshot("home", {}));
    for (const event of shuffled([...events, ...events], random)) home.apply(event);
    assert.deepEqual(home.posts, expected, `seed ${seed}`);
  }
});

test("one's own reactions and bookmarks follow the rev rule, whatever the order", () => {
  const me = new Entities("me");
  assert.deepEqual([me.reaction("p1"), me.bookmarked("p1")], [undefined, undefined]);
  assert.ok(me.apply({ event: "reaction.removed", data: { rev: 12, post: "p1" } }));
  assert.ok(!me.apply({ event: "reaction.updated", data: { rev: 11, post: "p1", emoji: "like" } }));
  assert.equal(me.reaction("p1"), null);
  assert.ok(me.apply({ event: "reaction.updated", data: { rev: 13, post: "p1", emoji: "party" } }));
  assert.ok(me.apply({ event: "bookmark.created", data: { rev: 14, post: "p1" } }));
  assert.deepEqual([me.reaction("p1"), me.bookmarked("p1"), me.bookmarked("p2")], ["party", true, undefined]);
});

test("pinned posts are there wherever they stand, and do not fill the gap before them", () => {
  const user = new Entities("user:u1");
  const [old, young] = [{ ...postOf("p1", 3, 9), pinned: true }, postOf("p2", 8, 8)];
  user.replace(snapshot("user:u1", { posts: [young], pinned: [old], next: "k3f9-8" }));
  assert.deepEqual([user.pinned.map(({ id }) => id), user.posts.map(({ id }) => id)], [["p1"], ["p2"]]);
  user.apply({ event: "post.updated", data: postOf("p1", 3, 10) });
  assert.deepEqual(user.pinned, []);
});

/** Creates, edits and removals of a few posts, as the journal would number them. */
function story(random) {
  const born = new Map();
  const gone = new Set();
  const events = [];
  for (let rev = 11; rev < 40; rev += 1) {
    const id = `p${Math.floor(random() * 6)}`;
    if (gone.has(id)) continue;
    const known = born.has(id);
    if (!known) born.set(id, rev);
    const removed = known && random() < 0.2;
    if (removed) gone.add(id);
    events.push({ event: removed ? "post.removed" : known ? "post.updated" : "post.created", data: removed ? { id, rev } : postOf(id, born.get(id), rev) });
  }
  return events;
}

function shuffled(list, random) {
  for (let at = list.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [list[at], list[other]] = [list[other], list[at]];
  }
  return list;
}

/** mulberry32: small, and the same everywhere for a seed. */
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
