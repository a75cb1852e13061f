/**
 * Owns how the author of a post, or a moderator, keeps its thread in order: locked, slowly, and by whom; and how readers are told.
 */
import { openDialog } from "./dialog.js";
import { el, icon } from "./dom.js";
import { isModerator } from "./places.js";
import { counted } from "./words.js";

export const COMMENTERS = { everyone: "Everybody", followers: "People who follow me", followed: "People I follow", nobody: "Nobody but me" };
const COMMENTERS_TOLD = { followers: "Followers of the author may comment", followed: "People the author follows may comment", nobody: "Comments are closed" };
const PAUSES = [[0, "Off"], [10, "10 seconds"], [30, "30 seconds"], [60, "1 minute"], [300, "5 minutes"], [900, "15 minutes"], [3_600, "1 hour"]];

/** What stands above the thread; null where there is nothing to say. */
export function rulesTold(app, post) {
  const mine = app.owns(post);
  const told = [
    post.locked && (post.locked === "moderator" ? "Locked by a moderator: no new comments" : "Locked by the author: no new comments"),
    !post.locked && (mine ? post.comments && post.comments !== "everyone" && `${COMMENTERS[post.comments]} may comment` : COMMENTERS_TOLD[post.comments]),
    !post.locked && post.slow > 0 && `Slow mode: one comment each ${spanWords(post.slow)}`,
  ].filter(Boolean);
  return told.length > 0 ? el("p", { class: "rules" }, icon("lock"), told.join(" · ")) : null;
}

/** Whether there is any use in a field to write in. Who may comment otherwise the server knows best. */
export const closed = (app, post) => Boolean(post.locked) || (post.comments === "nobody" && !app.owns(post));

/** What can be done about a post's thread, for its menu. */
export function ruleDeeds(app, post) {
  const mine = app.owns(post);
  if (!mine && !isModerator(app.user)) return [];
  const { client } = app;
  const unlockable = post.locked !== "moderator" || isModerator(app.user);
  return [
    post.locked
      ? unlockable && { name: "Unlock comments", act: "unlock", run: () => app.does(() => client.request("post.unlock", { id: post.id }), { done: "Comments are open again." }) }
      : { name: "Lock comments", act: "lock", run: () => app.does(() => client.request("post.lock", { id: post.id }), { done: "Nobody can comment any more." }) },
    { name: "Slow mode…", act: "slow", run: () => slowly(app, post) },
    mine && { name: "Who may comment…", act: "commenters", run: () => whoComments(app, post) },
  ].filter(Boolean);
}

function slowly(app, post) {
  const choices = PAUSES.some(([seconds]) => seconds === (post.slow ?? 0)) ? PAUSES : [...PAUSES, [post.slow, spanWords(post.slow)]];
  choose({
    title: "Slow mode", hint: "Each person may comment once in this time. You and moderators are not held back.", label: "One comment each",
    options: choices, now: post.slow ?? 0,
    send: (seconds) => app.does(() => app.client.request("post.slow", { id: post.id, seconds: Number(seconds) }), { done: Number(seconds) > 0 ? `One comment each ${spanWords(Number(seconds))}, from now on.` : "Slow mode is off." }),
  });
}

function whoComments(app, post) {
  choose({
    title: "Who may comment", hint: "People you mention in the post may comment as well, unless you choose nobody. What is there stays.", label: "May comment",
    options: Object.entries(COMMENTERS), now: post.comments ?? app.me?.settings?.comments ?? "everyone",
    send: (comments) => app.does(() => app.client.request("post.comments", { id: post.id, comments }), { done: "Saved." }),
  });
}

function choose({ title, hint, label, options, now, send }) {
  const select = el("select", { id: "rule-choice" }, ...options.map(([value, words]) => el("option", { value }, words)));
  select.value = now;
  const button = el("button", { type: "submit", class: "primary" }, "Save");
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    if (await send(select.value)) dialog.close();
    button.disabled = false;
  };
  const dialog = openDialog({ title, body: [el("form", { onsubmit: submit }, el("div", { class: "pairs" }, el("label", { for: "rule-choice" }, label), select), el("p", { class: "hint" }, hint), el("div", { class: "row end" }, button))] });
  select.focus();
}

function spanWords(seconds) {
  if (seconds >= 3_600) return "hour";
  return seconds % 60 === 0 ? (seconds === 60 ? "minute" : counted(seconds / 60, "minute")) : counted(seconds, "second");
}
