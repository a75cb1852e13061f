/**
 * Owns the state of one feed: posts, comments, follows, by the `rev` rule. The same entity may come often and late:
 * it is kept if its `rev` is newer, and a removal is remembered with its `rev`. Must never know sockets or requests.
 */
import { People } from "./people.js";

const bySeqNewestFirst = (one, other) => other.seq - one.seq;
const bySeqOldestFirst = (one, other) => one.seq - other.seq;

export class Entities {
  /** The profile of a `user:…` or `me` feed. */
  user = null;
  /** The post of a `post:…` feed; null before it has come and after it is gone. */
  post = null;
  /** Where the next page begins; null where there is no more. */
  next = null;
  #feed;
  #people;
  #posts = new Map();
  #comments = new Map();
  #follows = new Map();
  /** id → `rev` of its removal. */
  #gone = new Map();
  /** Posts older than this belong to pages not loaded yet; showing them now would hide the gap. */
  #oldest = 0;
  #sorted = null;
  #thread = null;

  /**
   * @param {string} feed its name
   * @param {People} [people] shared with other feeds
   */
  constructor(feed, people = new People()) {
    this.#feed = feed;
    this.#people = people;
  }

  /** Forgets everything and takes a snapshot. */
  replace(snapshot) {
    for (const map of [this.#posts, this.#comments, this.#follows, this.#gone]) map.clear();
    this.user = null;
    this.post = null;
    this.#oldest = Infinity;
    if (snapshot.user) this.#setUser(snapshot.user);
    if (snapshot.post) this.#setPost(snapshot.post);
    for (const followee of snapshot.follows ?? []) this.#follows.set(followee, { rev: snapshot.seq, following: true });
    this.addPage(snapshot);
  }

  /** Takes a page of older things. */
  addPage({ posts = [], comments = [], next }) {
    for (const post of posts) this.#setPost(post);
    for (const comment of comments) this.#setComment(comment);
    this.next = next ?? null;
    this.#oldest = this.next ? posts.reduce((oldest, post) => Math.min(oldest, post.seq), this.#oldest) : 0;
    this.#touch();
  }

  /**
   * Takes one event.
   * @param {{ event: string, data: any }} push
   * @returns {boolean} whether it brought anything new
   */
  apply({ event, data }) {
    const take = {
      "post.created": () => this.#setPost(data),
      "post.updated": () => this.#setPost(data),
      "post.removed": () => this.#removePost(data),
      "comment.created": () => this.#setComment(data),
      "comment.updated": () => this.#setComment(data),
      "comment.removed": () => this.#removeComment(data),
      "user.updated": () => this.#setUser(data),
      "follow.created": () => this.#setFollow(data, true),
      "follow.removed": () => this.#setFollow(data, false),
    }[event];
    const changed = take ? take() : false; // An event of a later version says nothing to this one.
    if (changed) this.#touch();
    return changed;
  }

  /** Posts, newest first, down to the end of the pages loaded; none in a `post:…` feed, which is about its one `post`. */
  get posts() {
    if (this.#feed.startsWith("post:")) return [];
    this.#sorted ??= [...this.#posts.values()].filter((post) => post.seq >= this.#oldest).sort(bySeqNewestFirst);
    return this.#sorted;
  }

  /** Comments as trees, oldest first. One whose parent is not loaded stands at the top, marked as an orphan. */
  get thread() {
    this.#thread ??= this.#grow();
    return this.#thread;
  }

  /** How many comments are known, placeholders left out. */
  get commentCount() {
    return [...this.#comments.values()].filter((comment) => !comment.removed).length;
  }

  /** Ids of those one follows (in `me`). */
  get follows() {
    return new Set([...this.#follows].filter(([, { following }]) => following).map(([id]) => id));
  }

  /** The newest that is known of an author. */
  person(author) {
    return this.#people.person(author);
  }

  #grow() {
    const nodes = new Map([...this.#comments].map(([id, comment]) => [id, { comment, answers: [], orphan: false }]));
    const roots = [];
    for (const comment of [...this.#comments.values()].sort(bySeqOldestFirst)) {
      const node = nodes.get(comment.id);
      const parent = nodes.get(comment.parent);
      node.orphan = Boolean(comment.parent) && !parent;
      (parent ? parent.answers : roots).push(node);
    }
    return prune(roots);
  }

  #setPost(post) {
    if (!this.#isNews(this.#posts, post)) return false;
    this.#posts.set(post.id, post);
    this.#people.meet(post.author);
    if (this.#feed === `post:${post.id}`) this.post = post;
    return true;
  }

  #removePost({ id, rev }) {
    if (!this.#isNews(this.#posts, { id, rev })) return false;
    this.#posts.delete(id);
    this.#gone.set(id, rev);
    if (this.#feed === `post:${id}`) this.post = null;
    return true;
  }

  #setComment(comment) {
    // The placeholder carries the `rev` of the removal itself.
    const placeholder = comment.removed && this.#gone.get(comment.id) === comment.rev && !this.#comments.has(comment.id);
    if (!placeholder && !this.#isNews(this.#comments, comment)) return false;
    this.#comments.set(comment.id, comment);
    if (comment.author) this.#people.meet(comment.author);
    return true;
  }

  /** It stays in its place, empty, for as long as something answers it. */
  #removeComment({ id, rev }) {
    if (!this.#isNews(this.#comments, { id, rev })) return false;
    const { author, text, ...place } = this.#comments.get(id) ?? {};
    if (place.id) this.#comments.set(id, { ...place, rev, removed: true });
    this.#gone.set(id, rev);
    return true;
  }

  #setUser(user) {
    const own = this.#feed === "me" || this.#feed === `user:${user.id}`;
    const newer = own && !(this.user?.rev >= user.rev);
    if (newer) this.user = user;
    return this.#people.meet(user) || newer;
  }

  #setFollow({ followee, rev }, following) {
    if (this.#follows.get(followee)?.rev >= rev) return false;
    this.#follows.set(followee, { rev, following });
    return true;
  }

  #isNews(map, { id, rev }) {
    return !(map.get(id)?.rev >= rev) && !(this.#gone.get(id) >= rev);
  }

  #touch() {
    this.#sorted = null;
    this.#thread = null;
  }
}

/** Leaves out placeholders that hold nothing in place any more. */
function prune(nodes) {
  for (const node of nodes) node.answers = prune(node.answers);
  return nodes.filter(({ comment, answers }) => !comment.removed || answers.length > 0);
}
