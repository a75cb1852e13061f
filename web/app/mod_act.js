/**
 * Owns the window in which a moderator acts: what is done, why, for how long, and what is told. Nothing is done before the button is pressed.
 */
import { uuidv7 } from "/client/ids.js";
import { openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { isModerator } from "./places.js";
import { REASONS } from "./report.js";
import { inWords } from "./words.js";
import { note } from "./announce.js";

const DAY_MS = 86_400_000;
const ABOUT_THINGS = { hide: "Hide it: only its author and moderators see it", unhide: "Show it again", delete: "Delete it for good" };
const ABOUT_PEOPLE = { warn: "Warn its author", suspend: "Suspend: they may read, and nothing else", ban: "Ban: they are logged out everywhere", reinstate: "Reinstate: suspension or ban is over" };
const LASTING = [["A day", 1], ["3 days", 3], ["A week", 7], ["A month", 30], ["Until somebody ends it", null]];
const NOTE_CHARS = 1_000;

/** For the menu of a post, a comment or a profile. */
export function modDeed(app, { author, ...thing }) {
  if (!isModerator(app.user) || !author || author.id === app.user.id) return null;
  return { name: "Moderate…", act: "moderate", run: () => actDialog(app, thing, { author, what: thing.user ? "Profile" : thing.comment ? "Comment" : "Post" }) };
}

/** For admins, on a profile: whether somebody moderates. */
export function roleDeed(app, person) {
  if (!app.isAdmin || person.id === app.user.id || person.role === "admin" || person.bot) return null;
  const role = person.role === "moderator" ? "user" : "moderator";
  const done = role === "user" ? `${person.name} does not moderate any more.` : `${person.name} moderates from now on.`;
  return { name: role === "user" ? "Take moderation away" : "Make a moderator", act: "role", run: () => app.does(() => app.client.request("mod.role", { id: person.id, role }), { done }) };
}

/** @param {object} on `case`, `user`, `post` or `comment` with its id */
export function actDialog(app, on, { author, what, because }) {
  const id = uuidv7();
  const deeds = what === "Profile" ? ABOUT_PEOPLE : { ...ABOUT_THINGS, ...ABOUT_PEOPLE };
  const action = el("select", { id: "mod-action", onchange: () => changed() }, ...Object.entries(deeds).map(([value, words]) => el("option", { value }, words)));
  const reason = el("select", { id: "mod-reason" }, ...Object.entries(REASONS).map(([value, words]) => el("option", { value }, words)));
  if (because) reason.value = because;
  const lasting = el("select", { id: "mod-lasting" }, ...LASTING.map(([words], at) => el("option", { value: at }, words)));
  const span = el("div", { class: "pairs", hidden: true }, el("label", { for: lasting.id }, "For how long"), lasting);
  const words = el("textarea", { id: "mod-note", rows: 3, maxlength: NOTE_CHARS });
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const button = el("button", { type: "submit", class: "danger" }, "Do it");
  const changed = () => { span.hidden = action.value !== "suspend"; };
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    const days = LASTING[lasting.value][1];
    const until = action.value === "suspend" && days !== null ? Date.now() + days * DAY_MS : undefined;
    try {
      await app.client.request("mod.act", { id, ...on, action: action.value, reason: reason.value, note: words.value.trim() || undefined, until });
      note("Done. They are told why, and not by whom.");
      dialog.close();
    } catch (failure) {
      error.textContent = inWords(failure);
      error.hidden = false;
    }
    button.disabled = false;
  };
  changed();
  const dialog = openDialog({
    title: `${what} of ${author.name}`, wide: true,
    body: [el("form", { onsubmit: submit },
      el("label", { for: action.id }, "What to do"), action, span,
      el("label", { for: reason.id }, "Why"), reason,
      el("label", { for: words.id }, "What they are told besides ", el("span", { class: "hint" }, "(optional)")), words, error,
      el("div", { class: "row end" }, button))],
  });
  action.focus();
}
