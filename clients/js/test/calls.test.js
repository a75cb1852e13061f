/** Every method of the protocol has a name here, and what it sends is what the server's own tests read. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { Client } from "../src/index.js";
import { FakeSocket, settle } from "./fake_socket.js";

const read = (path) => JSON.parse(readFileSync(new URL(`../../../protocol/${path}.json`, import.meta.url), "utf8"));
/** What is asked as a part of something else, with the name of the test that sees it. */
const ELSEWHERE = {
  "hello": "client: hello comes first",
  "auth.refresh": "client: a token that runs out",
  "feed.unsubscribe": "client: a closed feed",
  "media.ticket": "the pictures of the walk in the browser",
};

const about = ({ user, post, comment, case: one }) => (one ? { case: one } : user ? { user } : post ? { post } : { comment });

/** @param {Client} client */
const calls = (client) => ({
  "user.get": (p) => client.getUser(p),
  "user.update": (p) => client.updateUser({ name: p.name, bio: p.bio, avatar: p.avatar, asks: p.asks, ifRev: p.if_rev }),
  "user.follow": (p) => client.follow(p.id),
  "user.unfollow": (p) => client.unfollow(p.id),
  "user.remove_follower": (p) => client.removeFollower(p.id),
  "user.block": (p) => client.block(p.id),
  "user.unblock": (p) => client.unblock(p.id),
  "user.mute": (p) => client.mute(p.id, { until: p.until }),
  "user.unmute": (p) => client.unmute(p.id),
  "request.page": (p) => client.followRequests(p),
  "request.accept": (p) => client.acceptRequest(p.id),
  "request.reject": (p) => client.rejectRequest(p.id),
  "list.all": () => client.lists(),
  "list.create": (p) => client.createList(p.name, { id: p.id }),
  "list.update": (p) => client.renameList(p.id, p.name, { ifRev: p.if_rev }),
  "list.delete": (p) => client.deleteList(p.id),
  "list.members": (p) => client.listMembers(p.id),
  "list.add": (p) => client.addToList(p.id, p.user),
  "list.remove": (p) => client.removeFromList(p.id, p.user),
  "filter.all": () => client.filters(),
  "filter.put": (p) => client.putFilter(p.phrase, { id: p.id, wholeWord: p.whole_word, until: p.until }),
  "filter.delete": (p) => client.deleteFilter(p.id),
  "post.create": (p) => client.createPost(p.text, p),
  "post.get": (p) => client.getPost(p.id),
  "post.stats": (p) => client.getStats(p.ids),
  "post.update": (p) => client.updatePost(p.id, p.text, { ...p, ifRev: p.if_rev }),
  "post.history": (p) => client.getHistory(p.id),
  "post.react": (p) => client.react(p.id, p.emoji),
  "post.unreact": (p) => client.unreact(p.id),
  "post.bookmark": (p) => client.bookmark(p.id),
  "post.unbookmark": (p) => client.unbookmark(p.id),
  "post.pin": (p) => client.pin(p.id),
  "post.unpin": (p) => client.unpin(p.id),
  "post.delete": (p) => client.deletePost(p.id),
  "post.lock": (p) => client.lock(p.id),
  "post.unlock": (p) => client.unlock(p.id),
  "post.slow": (p) => client.slow(p.id, p.seconds),
  "post.comments": (p) => client.whoComments(p.id, p.comments),
  "bookmark.page": (p) => client.bookmarks(p),
  "comment.create": (p) => client.createComment(p.post, p.text, { id: p.id, parent: p.parent }),
  "comment.update": (p) => client.updateComment(p.id, p.text, { ifRev: p.if_rev }),
  "comment.delete": (p) => client.deleteComment(p.id),
  "comment.hide": (p) => client.hideComment(p.id),
  "comment.unhide": (p) => client.unhideComment(p.id),
  "comment.page": (p) => client.commentsPage(p.post, p),
  "feed.page": (p) => client.postsPage(p.feed, p),
  "feed.mode": (p) => client.setMode(p.feed, p.mode, { limit: p.limit }),
  "feed.subscribe": (p) => Promise.resolve(client.feed(p.feed, p)),
  "search.people": (p) => client.searchPeople(p.query, p),
  "search.posts": (p) => client.searchPosts(p.query, p),
  "search.tags": (p) => client.searchTags(p.prefix),
  "mention.suggest": (p) => client.suggestMentions(p.prefix, p),
  "notification.page": (p) => client.notificationsPage(p),
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
  "media.get": (p) => client.getPicture(p.id),
  "media.delete": (p) => client.forgetPicture(p.id),
  "report.create": (p) => client.report(about(p), p.reason, { id: p.id, note: p.note }),
  "report.page": (p) => client.reports(p),
  "account.actions": (p) => client.actions(p),
  "appeal.create": (p) => client.appeal(p.action, p.text),
  "appeal.settle": (p) => client.settleAppeal(p.action, p.accept, { note: p.note }),
  "mod.page": (p) => client.cases(p),
  "mod.get": (p) => client.case(p.id),
  "mod.claim": (p) => client.claimCase(p.id, { release: p.release }),
  "mod.settle": (p) => client.settleCase(p.id),
  "mod.act": (p) => client.moderate(about(p), p.action, p.reason, { id: p.id, note: p.note, until: p.until }),
  "mod.role": (p) => client.setRole(p.id, p.role),
  "mod.log": (p) => client.moderationLog(p),
  "bot.create": (p) => client.createBot(p.handle, p.name, { id: p.id }),
  "bot.all": () => client.bots(),
  "bot.delete": (p) => client.deleteBot(p.id),
  "token.create": (p) => client.createToken(p.name, p.scopes, { bot: p.bot, expires: p.expires }),
  "token.all": (p) => client.tokens({ bot: p.bot }),
  "token.revoke": (p) => client.revokeToken(p.id),
  "account.password": (p) => client.changePassword(p.current, p.new),
  "account.email": (p) => client.changeEmail(p.password, p.email),
  "account.get": () => client.account(),
  "account.export": () => client.exportAccount(),
  "account.delete": (p) => client.deleteAccount(p.password),
  "session.list": () => client.logIns(),
  "session.revoke": (p) => client.endLogIn(p.id),
  "session.revoke_others": () => client.endOtherLogIns(),
});

/** Also where a test fails: a client that is left open keeps the program from ending. */
const open = [];
afterEach(() => { for (const client of open.splice(0)) client.close(); });

/** With the golden `welcome`, on which more than usual may be asked at once. */
async function welcomed() {
  const { result } = read("wire/replies").frames.find(({ of }) => of === "hello").frame;
  const client = new Client({ url: "http://127.0.0.1:1", WebSocket: FakeSocket });
  open.push(client);
  client.connect();
  await settle();
  FakeSocket.last.accepts();
  FakeSocket.last.answers("hello", { ...result, feeds: [], limits: { ...result.limits, requests_in_flight: 1_000 } });
  await settle();
  return { client, socket: FakeSocket.last };
}

test("what the library asks is what the server reads", async () => {
  const seen = new Set();
  for (const { name, of, frame } of read("wire/requests").frames.filter(({ of }) => !ELSEWHERE[of])) {
    const { client, socket } = await welcomed();
    calls(client)[of](frame.params).catch(() => {});
    assert.deepEqual({ ...socket.sent.at(-1), id: frame.id }, frame, `${of}: ${name}`);
    seen.add(of);
  }
  assert.deepEqual([...seen].sort(), Object.keys(calls()).sort());
});

test("every method of the protocol has a name in the library", () => {
  const methods = Object.keys(read("generated/tidings.v1.schema")["x-methods"]);
  assert.ok(methods.length > 80);
  assert.deepEqual(methods.sort(), [...Object.keys(calls()), ...Object.keys(ELSEWHERE)].sort());
});
