/**
 * Owns the state of one feed: posts, comments, notifications, and what one has set up for oneself, by the `rev` rule. The same entity may come often and late:
 * it is kept if its `rev` is newer, and a removal is remembered with its `rev`. Must never know sockets or requests.
 */
import { Kept } from "./kept.js";
import { People } from "./people.js";

/** Bound of what one was told of by id alone; the oldest goes first. */
const MOST_CHANGED = 1_000;
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
  #notifications = new Map();
  /** What moderators see to (in `mod`). */
  #cases = new Map();
  /** How many direct answers comments have, as of the pages loaded. */
  #answers = new Map();
  /** What `me` keeps: each by its key and `rev`. */
  #own = {
    follows: new Kept(), blocks: new Kept(), mutes: new Kept(), markers: new Kept(), preferences: new Kept(),
    reactions: new Kept(), bookmarks: new Kept(), requests: new Kept(), lists: new Kept(), members: new Kept(), filters: new Kept(),
    reports: new Kept(), actions: new Kept(), settings: new Kept(), drafts: new Kept(),
  };
  #reading = null;
  /** As of which entry the number of unread ones is. */
  #unreadAt = 0;
  /** In `ids`: id → the last change one was told of without the thing itself. */
  #changed = new Map();
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
    for (const map of [this.#posts, this.#comments, this.#notifications, this.#cases, this.#answers, this.#gone, this.#changed, ...Object.values(this.#own)]) map.clear();
    this.#reading = null;
    this.user = null;
    this.post = null;
    this.#oldest = Infinity;
    if (snapshot.user) this.#setUser(snapshot.user);
    if (snapshot.post) this.#setPost(snapshot.post);
    for (const post of snapshot.pinned ?? []) this.#setPost(post);
    const { follows, blocks, mutes, markers, preferences } = this.#own;
    for (const followee of snapshot.follows ?? []) follows.set(followee, snapshot.seq, true);
    for (const block of snapshot.blocks ?? []) blocks.set(block.blocked, block.rev, block);
    for (const mute of snapshot.mutes ?? []) mutes.set(mute.muted, mute.rev, mute);
    for (const marker of snapshot.markers ?? []) markers.set(marker.feed, marker.rev, marker);
    const { requests, lists, filters } = this.#own;
    for (const request of snapshot.requests ?? []) requests.set(pair(request.asker, request.asked), request.rev, request);
    for (const list of snapshot.lists ?? []) lists.set(list.id, list.rev, list);
    for (const filter of snapshot.filters ?? []) filters.set(filter.id, filter.rev, filter);
    if (snapshot.preferences) preferences.set("", snapshot.preferences.rev, snapshot.preferences);
    if (snapshot.settings) this.#own.settings.set("", snapshot.settings.rev, snapshot.settings);
    this.addPage(snapshot);
    this.#unreadAt = snapshot.seq;
  }

  /** Takes a page of older things. */
  addPage({ posts = [], comments = [], answers, notifications = [], cases = [], reading, next }) {
    for (const post of posts) this.#setPost(post);
    for (const one of cases) this.#setCase(one);
    for (const [comment, many] of Object.entries(answers ?? {})) this.#answers.set(comment, many);
    for (const comment of comments) this.#setComment(comment);
    for (const notification of notifications) this.#setNotification(notification);
    if (reading) this.#setReading(reading);
    this.next = next ?? null;
    this.#oldest = this.next ? [...posts, ...notifications, ...cases].reduce((oldest, { seq }) => Math.min(oldest, seq), this.#oldest) : 0;
    this.#touch();
  }

  /**
   * Takes one event.
   * @param {{ event: string, data: any, seq?: number }} push
   * @returns {boolean} whether it brought anything new
   */
  apply({ event, data, seq = Infinity }) {
    const { follows, blocks, mutes, markers, preferences, reactions, bookmarks, requests, lists, members, filters, reports, actions, settings, drafts } = this.#own;
    const take = {
      "post.created": () => this.#setPost(data),
      "post.updated": () => this.#setPost(data),
      "post.removed": () => this.#removePost(data),
      "comment.created": () => this.#setComment(data),
      "comment.updated": () => this.#setComment(data),
      "comment.removed": () => this.#removeComment(data),
      "user.updated": () => this.#setUser(data),
      "follow.created": () => follows.set(data.followee, data.rev, true),
      "follow.removed": () => follows.set(data.followee, data.rev, null),
      "block.created": () => blocks.set(data.blocked, data.rev, data),
      "block.removed": () => blocks.set(data.blocked, data.rev, null),
      "mute.created": () => mutes.set(data.muted, data.rev, data),
      "mute.removed": () => mutes.set(data.muted, data.rev, null),
      "marker.updated": () => markers.set(data.feed, data.rev, data),
      "marker.removed": () => markers.set(data.feed, data.rev, null),
      "preferences.updated": () => preferences.set("", data.rev, data),
      "settings.updated": () => settings.set("", data.rev, data),
      "draft.updated": () => drafts.set(data.id, data.rev, data),
      "draft.removed": () => drafts.set(data.id, data.rev, null),
      "reaction.updated": () => reactions.set(data.post, data.rev, data.emoji ?? null),
      "reaction.removed": () => reactions.set(data.post, data.rev, null),
      "bookmark.created": () => bookmarks.set(data.post, data.rev, true),
      "bookmark.removed": () => bookmarks.set(data.post, data.rev, null),
      "request.created": () => requests.set(pair(data.asker, data.asked), data.rev, data),
      "request.removed": () => requests.set(pair(data.asker, data.asked), data.rev, null),
      "list.updated": () => lists.set(data.id, data.rev, data),
      "list.removed": () => lists.set(data.id, data.rev, null),
      "member.created": () => members.set(pair(data.list, data.user), data.rev, data),
      "member.removed": () => members.set(pair(data.list, data.user), data.rev, null),
      "filter.updated": () => filters.set(data.id, data.rev, data),
      "filter.removed": () => filters.set(data.id, data.rev, null),
      "report.updated": () => reports.set(data.id, data.rev, data),
      "action.updated": () => actions.set(data.id, data.rev, data),
      "feed.changed": () => this.#setChanged(data),
      "case.updated": () => this.#setCase(data),
      "notification.updated": () => either(this.#setNotification(data), this.#setUnread(data, seq)),
      "notification.removed": () => either(this.#removeNotification(data), this.#setUnread(data, seq)),
      "notification.read": () => either(this.#setReading(data), this.#setUnread(data, seq)),
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
  get follows() { return new Set(this.#own.follows.all.keys()); }
  /** Whom one blocks and whom one has muted (in `me`): the block or mute by the other's id. */
  get blocks() { return this.#own.blocks.all; }
  get mutes() { return this.#own.mutes.all; }
  /** How far one has read (in `me`): markers by their feed. */
  get markers() { return this.#own.markers.all; }
  /** Of whom one wants to hear (in `me`); null where one never said so. */
  get preferences() { return this.#own.preferences.get(""); }

  /** One's open requests to follow somebody, by whom one asked (in `me`). */
  get requests() { return new Map([...this.#own.requests.all.values()].map((request) => [request.asked, request])); }
  /** One's lists and keyword filters, by their id (in `me`). */
  get lists() { return this.#own.lists.all; }
  get filters() { return this.#own.filters.all; }
  /** What moderators see to, newest first (in `mod`). */
  get cases() { return [...this.#cases.values()].filter(({ seq }) => seq >= this.#oldest).sort(bySeqNewestFirst); }
  /** How many direct answers a comment has, as far as a page said so; 0 where none did. */
  answersOf(comment) { return this.#answers.get(comment) ?? 0; }
  /** @internal A page of the answers to one comment; it is no page of the thread. */
  addAnswers(parent, { comments, answers, next }) {
    for (const comment of comments) this.#setComment(comment);
    for (const [comment, many] of Object.entries(answers ?? {})) this.#answers.set(comment, many);
    if (!next) this.#answers.delete(parent); // All are here now.
    this.#touch();
  }
  /** What one is told of by id alone and does not have as it is now. */
  get changed() { return this.#changed; }
  /** What came of one's reports, and what moderators did to one, as far as it has changed since one watches `me`; by their id. */
  get reports() { return this.#own.reports.all; }
  get actions() { return this.#own.actions.all; }
  /** What one has chosen (in `me`); null where one never did. */
  get settings() { return this.#own.settings.get(""); }
  /** Drafts that have changed since one watches `me`, by their id; those before come by pages. Null: it is gone. */
  draft(id) { return this.#own.drafts.has(id) ? this.#own.drafts.get(id) : undefined; }

  /** One's reaction to a post, as far as it has changed since one watches `me`: a word, null if it was taken back, undefined if nothing is known. */
  reaction(post) { return this.#own.reactions.has(post) ? this.#own.reactions.get(post) : undefined; }
  /** Whether one has bookmarked a post, as far as that has changed since one watches `me`; undefined if nothing is known. */
  bookmarked(post) { return this.#own.bookmarks.has(post) ? this.#own.bookmarks.get(post) !== null : undefined; }

  /** Posts that their author shows before all others (in `user:…`), newest first. */
  get pinned() { return [...this.#posts.values()].filter((post) => post.pinned).sort(bySeqNewestFirst); }

  /** Notifications, newest first, down to the end of the pages loaded; `read` as told by both of its signs. */
  get notifications() {
    const readUpTo = this.#reading?.read ?? 0;
    const loaded = [...this.#notifications.values()].filter(({ seq }) => seq >= this.#oldest);
    return loaded.map((one) => ({ ...one, read: Boolean(one.read) || one.seq <= readUpTo })).sort(bySeqNewestFirst);
  }

  /** How far one has looked through one's notifications, and how many are unread. */
  get reading() { return this.#reading; }

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
    this.#caughtUp(post);
    this.#people.meet(post.author);
    if (this.#feed === `post:${post.id}`) this.post = post;
    return true;
  }

  #removePost({ id, rev }) {
    if (!this.#isNews(this.#posts, { id, rev })) return false;
    this.#posts.delete(id);
    this.#caughtUp({ id, rev });
    this.#gone.set(id, rev);
    if (this.#feed === `post:${id}`) this.post = null;
    return true;
  }

  #setComment(comment) {
    // The placeholder carries the `rev` of the removal itself.
    const placeholder = comment.removed && this.#gone.get(comment.id) === comment.rev && !this.#comments.has(comment.id);
    if (!placeholder && !this.#isNews(this.#comments, comment)) return false;
    this.#comments.set(comment.id, comment);
    this.#caughtUp(comment);
    if (comment.author) this.#people.meet(comment.author);
    return true;
  }

  /** It stays in its place, empty, for as long as something answers it. */
  #removeComment({ id, rev }) {
    if (!this.#isNews(this.#comments, { id, rev })) return false;
    const { author, text, ...place } = this.#comments.get(id) ?? {};
    if (place.id) this.#comments.set(id, { ...place, rev, removed: true });
    this.#caughtUp({ id, rev });
    this.#gone.set(id, rev);
    return true;
  }

  #setUser(user) {
    const own = this.#feed === "me" || this.#feed === `user:${user.id}`;
    const newer = own && !(this.user?.rev >= user.rev);
    if (newer) this.user = user;
    return this.#people.meet(user) || newer;
  }

  #setNotification({ unread, ...notification }) {
    if (!this.#isNews(this.#notifications, notification)) return false;
    this.#notifications.set(notification.id, notification);
    for (const actor of notification.actors) this.#people.meet(actor);
    return true;
  }

  #removeNotification({ id, rev }) {
    if (!this.#isNews(this.#notifications, { id, rev })) return false;
    this.#notifications.delete(id);
    this.#gone.set(id, rev);
    return true;
  }

  #setCase(one) {
    if (!this.#isNews(this.#cases, one)) return false;
    this.#cases.set(one.id, one);
    this.#people.meet(one.author);
    return true;
  }

  #setReading(reading) {
    if (this.#reading?.rev >= reading.rev) return false;
    this.#reading = { ...reading };
    return true;
  }

  /** The number of unread ones comes with every event; the last one counts. */
  #setUnread({ unread }, seq) {
    if (seq < this.#unreadAt || this.#reading?.unread === unread) return false;
    if (seq !== Infinity) this.#unreadAt = seq;
    this.#reading = { rev: 0, seen: 0, read: 0, ...this.#reading, unread };
    return true;
  }

  /** What is gone is gone, by whatever words; of the rest one knows that one has it no longer as it is. */
  #setChanged({ event, id, rev }) {
    if (event === "post.removed" || event === "comment.removed") return this.apply({ event, data: { id, rev } });
    const known = [this.#posts, this.#comments, this.#changed].some((map) => map.get(id)?.rev >= rev) || this.#gone.get(id) >= rev;
    if (known) return false;
    this.#changed.delete(id);
    this.#changed.set(id, { event, id, rev });
    if (this.#changed.size > MOST_CHANGED) this.#changed.delete(this.#changed.keys().next().value);
    return true;
  }

  /** One has it now as it is, or knows that it is gone. */
  #caughtUp({ id, rev }) {
    if (!(this.#changed.get(id)?.rev > rev)) this.#changed.delete(id);
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

/** The key of something that is about two. */
const pair = (one, other) => `${one} ${other}`;

/** Both have been done; whether one of them was news. */
const either = (one, other) => one || other;
