/**
 * Owns the names of the requests: one method for each that programs use every day. Must never know how a request travels.
 */
import { Emitter } from "./emitter.js";
import { uuidv7 } from "./ids.js";
import { sendPicture } from "./pictures.js";

export class Calls extends Emitter {
  /** One's own profile, or another's by `{ id }` or `{ handle }`. */
  getUser(who = {}, options) { return this.request("user.get", who, options); }
  /** `avatar`: the id of a picture of one's own, `null` for none. */
  updateUser({ name, bio, avatar, asks, ifRev }, options) { return this.request("user.update", { name, bio, avatar, asks, if_rev: ifRev }, options); }
  follow(id, options) { return this.request("user.follow", { id }, options); }
  unfollow(id, options) { return this.request("user.unfollow", { id }, options); }
  block(id, options) { return this.request("user.block", { id }, options); }
  unblock(id, options) { return this.request("user.unblock", { id }, options); }
  /** `until`: milliseconds since 1970; for ever if absent. */
  mute(id, { until, ...options } = {}) { return this.request("user.mute", { id, until }, options); }
  unmute(id, options) { return this.request("user.unmute", { id }, options); }
  /** Ends somebody's follow of oneself. */
  removeFollower(id, options) { return this.request("user.remove_follower", { id }, options); }
  /** Who asks to follow one, newest first. */
  followRequests({ before, limit, ...options } = {}) { return this.request("request.page", { before, limit }, options); }
  acceptRequest(id, options) { return this.request("request.accept", { id }, options); }
  rejectRequest(id, options) { return this.request("request.reject", { id }, options); }

  /** One's lists; that of their people is `list:<id>`. */
  lists(options) { return this.request("list.all", {}, options); }
  createList(name, { id = uuidv7(), ...options } = {}) { return this.request("list.create", { id, name }, options); }
  renameList(id, name, { ifRev, ...options } = {}) { return this.request("list.update", { id, name, if_rev: ifRev }, options); }
  deleteList(id, options) { return this.request("list.delete", { id }, options); }
  listMembers(id, options) { return this.request("list.members", { id }, options); }
  addToList(id, user, options) { return this.request("list.add", { id, user }, options); }
  removeFromList(id, user, options) { return this.request("list.remove", { id, user }, options); }
  /** Phrases one does not want to read: see `matchesFilter`. */
  filters(options) { return this.request("filter.all", {}, options); }
  /** Makes a filter, or replaces the one with this `id`; `until`: milliseconds since 1970. */
  putFilter(phrase, { id = uuidv7(), wholeWord, until, ...options } = {}) {
    return this.request("filter.put", { id, phrase, whole_word: wholeWord, until }, options);
  }
  deleteFilter(id, options) { return this.request("filter.delete", { id }, options); }

  /**
   * The id makes it safe to send again: after a lost answer the same post is answered, not a second one made.
   * With `of` a quote, or without a text a repost.
   */
  createPost(text, { id = uuidv7(), visibility, warning, of, comments, media, ...options } = {}) {
    return this.request("post.create", { id, text, visibility, warning, of, comments, media }, options);
  }
  getPost(id, options) { return this.request("post.get", { id }, options); }
  /** Posts in numbers, 1 to 100 of them; `numbers` asks by itself for what it is to keep. */
  getStats(ids, options) { return this.request("post.stats", { ids }, options); }
  /** Posts of a feed, or of what people had most to do with: `top:day`, `top:week`. */
  postsPage(feed, { before, limit, ...options } = {}) { return this.request("feed.page", { feed, before, limit }, options); }
  /** Comments on a post, or with `parent` the direct answers to one of them. */
  commentsPage(post, { parent, before, limit, ...options } = {}) { return this.request("comment.page", { post, parent, before, limit }, options); }
  updatePost(id, text, { ifRev, visibility, warning, comments, ...options } = {}) {
    return this.request("post.update", { id, text, visibility, warning, comments, if_rev: ifRev }, options);
  }
  deletePost(id, options) { return this.request("post.delete", { id }, options); }
  getHistory(id, options) { return this.request("post.history", { id }, options); }
  pin(id, options) { return this.request("post.pin", { id }, options); }
  unpin(id, options) { return this.request("post.unpin", { id }, options); }
  react(id, emoji, options) { return this.request("post.react", { id, emoji }, options); }
  unreact(id, options) { return this.request("post.unreact", { id }, options); }
  bookmark(id, options) { return this.request("post.bookmark", { id }, options); }
  unbookmark(id, options) { return this.request("post.unbookmark", { id }, options); }
  bookmarks({ before, limit, ...options } = {}) { return this.request("bookmark.page", { before, limit }, options); }
  /** Words that begin words of names or handles. */
  searchPeople(query, { before, limit, ...options } = {}) { return this.request("search.people", { query, before, limit }, options); }
  /** Words, "words that follow each other", -without. A page may be empty while it has a `next`. */
  searchPosts(query, { before, limit, ...options } = {}) { return this.request("search.posts", { query, before, limit }, options); }
  /** How much one is told of a feed one watches: `full`, `ids`, `count` or `off`. Back to more, the answer holds a snapshot. */
  setMode(feed, mode, { limit, ...options } = {}) { return this.request("feed.mode", { feed, mode, limit }, options); }
  searchTags(prefix, options) { return this.request("search.tags", { prefix }, options); }
  /** Whom somebody who types an `@` may mean, under a post or anywhere. */
  suggestMentions(prefix, { post, ...options } = {}) { return this.request("mention.suggest", { prefix, post }, options); }

  /** `parent` is the comment it answers, if any. */
  createComment(post, text, { id = uuidv7(), parent, ...options } = {}) {
    return this.request("comment.create", { id, post, parent, text }, options);
  }
  updateComment(id, text, { ifRev, ...options } = {}) { return this.request("comment.update", { id, text, if_rev: ifRev }, options); }
  lock(id, options) { return this.request("post.lock", { id }, options); }
  unlock(id, options) { return this.request("post.unlock", { id }, options); }
  slow(id, seconds, options) { return this.request("post.slow", { id, seconds }, options); }
  whoComments(id, comments, options) { return this.request("post.comments", { id, comments }, options); }
  hideComment(id, options) { return this.request("comment.hide", { id }, options); }
  unhideComment(id, options) { return this.request("comment.unhide", { id }, options); }
  deleteComment(id, options) { return this.request("comment.delete", { id }, options); }
  /** One is writing a comment on a post whose feed one watches. */
  typing(post, { parent, ...options } = {}) { return this.request("typing.send", { post, parent }, options); }

  /**
   * Sends a picture, which can then be shown by its id; forgotten by the server after a day in which nothing shows it.
   * `onProgress` hears which part of it (0 to 1) is there, where the surroundings can tell.
   */
  sendPicture(picture, options) {
    return sendPicture({ ask: (params, how) => this.request("media.ticket", params, how), base: this.httpUrl }, picture, options);
  }
  getPicture(id, options) { return this.request("media.get", { id }, options); }
  forgetPicture(id, options) { return this.request("media.delete", { id }, options); }

  notificationsPage({ before, limit, ...options } = {}) { return this.request("notification.page", { before, limit }, options); }
  /** One has looked at the notifications up to this `seq`. */
  notificationsSeen(upTo, options) { return this.request("notification.seen", { up_to: upTo }, options); }
  /** One has read these, all up to a `seq`, or these as far as they are not above it. */
  notificationsRead({ ids, upTo }, options) { return this.request("notification.read", { ids, up_to: upTo }, options); }
  setPreferences(preferences, options) { return this.request("notify.preferences", preferences, options); }
  updateSettings(settings, options) { return this.request("settings.update", settings, options); }
  /** Puts a draft in whole; with `publish_at` (ms) it is published by itself. */
  putDraft({ id = uuidv7(), text, visibility, warning, of, comments, publish_at, ifRev } = {}, options) {
    return this.request("draft.put", { id, text, visibility, warning, of, comments, publish_at, if_rev: ifRev }, options);
  }
  deleteDraft(id, options) { return this.request("draft.delete", { id }, options); }
  /** One's drafts, those changed last first. */
  drafts({ before, limit, ...options } = {}) { return this.request("draft.page", { before, limit }, options); }
  setMarker(feed, seq, options) { return this.request("marker.set", { feed, seq }, options); }
  /** What this connection shows of one: `online`, `idle` or `invisible`. */
  setPresence(status, options) { return this.request("presence.set", { status }, options); }

  /** `about` is one of { user }, { post }, { comment }. */
  report(about, reason, { id = uuidv7(), note, ...options } = {}) {
    return this.request("report.create", { id, ...about, reason, note }, options);
  }
  reports({ before, limit, ...options } = {}) { return this.request("report.page", { before, limit }, options); }
  /** What was done to one, and one's standing. */
  actions({ before, limit, ...options } = {}) { return this.request("account.actions", { before, limit }, options); }
  appeal(action, text, options) { return this.request("appeal.create", { action, text }, options); }
  settleAppeal(action, accept, { note, ...options } = {}) { return this.request("appeal.settle", { action, accept, note }, options); }
  cases({ settled, before, limit, ...options } = {}) { return this.request("mod.page", { settled, before, limit }, options); }
  case(id, options) { return this.request("mod.get", { id }, options); }
  claimCase(id, { release, ...options } = {}) { return this.request("mod.claim", { id, release }, options); }
  settleCase(id, options) { return this.request("mod.settle", { id }, options); }
  /** `about` is one of { case }, { user }, { post }, { comment }; `until` (ms) ends a suspension. */
  moderate(about, action, reason, { id = uuidv7(), note, until, ...options } = {}) {
    return this.request("mod.act", { id, ...about, action, reason, note, until }, options);
  }
  setRole(id, role, options) { return this.request("mod.role", { id, role }, options); }
  moderationLog({ before, limit, ...options } = {}) { return this.request("mod.log", { before, limit }, options); }

  /** Makes a bot of one's own. It comes in with a token that is made for it. */
  createBot(handle, name, { id = uuidv7(), ...options } = {}) { return this.request("bot.create", { id, handle, name }, options); }
  bots(options) { return this.request("bot.all", {}, options); }
  /** Stops it for good. */
  deleteBot(id, options) { return this.request("bot.delete", { id }, options); }
  /** Makes a token for oneself or for a `bot`; `secret` of the answer is told once. Never sent twice by itself: after a lost answer look at `tokens`. */
  createToken(name, scopes, { bot, expires, ...options } = {}) { return this.request("token.create", { bot, name, scopes, expires }, options); }
  tokens({ bot, ...options } = {}) { return this.request("token.all", { bot }, options); }
  revokeToken(id, options) { return this.request("token.revoke", { id }, options); }

  changePassword(current, next, options) { return this.request("account.password", { current, new: next }, options); }
  changeEmail(password, email, options) { return this.request("account.email", { password, email }, options); }
  account(options) { return this.request("account.get", {}, options); }
  exportAccount(options) { return this.request("account.export", {}, options); }
  /** For good, and at once. */
  deleteAccount(password, options) { return this.request("account.delete", { password }, options); }
  logIns(options) { return this.request("session.list", {}, options); }
  endLogIn(id, options) { return this.request("session.revoke", { id }, options); }
  endOtherLogIns(options) { return this.request("session.revoke_others", {}, options); }
}
