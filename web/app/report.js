/**
 * Owns telling the moderators that something is wrong. Must never tell anybody else who did.
 */
import { uuidv7 } from "/client/ids.js";
import { note } from "./announce.js";
import { openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { inWords } from "./words.js";

export const REASONS = {
  spam: "Advertising, fraud, or the same again and again", harassment: "It goes for somebody", hate: "Hate against people for what they are",
  violence: "Threats, or praise of violence", sexual: "Sexual where it does not belong", self_harm: "Somebody may hurt themselves",
  impersonation: "Pretends to be somebody else", privacy: "Tells what is private", illegal: "Against the law", other: "Something else",
};
const NOTE_CHARS = 1_000;

/**
 * @param {{ post?: string, comment?: string, user?: string, author: object }} about exactly one of the three, and who that is or who wrote it
 * @returns {{ name: string, act: string, run: () => any } | null} nothing for what is one's own, and for who is not logged in
 */
export function reportDeed(app, { author, ...thing }) {
  if (!app.user || !author || author.id === app.user.id) return null;
  return { name: "Report…", act: "report", run: () => report(app, thing, author.name) };
}

function report(app, thing, name) {
  const id = uuidv7();
  const what = thing.post ? "post" : thing.comment ? "comment" : "profile";
  const choices = Object.entries(REASONS).map(([value, words]) => {
    const box = el("input", { type: "radio", name: "reason", id: `reason-${value}`, value, required: true });
    return el("label", { class: "check", for: box.id }, box, words);
  });
  const words = el("textarea", { id: "report-note", rows: 2, maxlength: NOTE_CHARS });
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const button = el("button", { type: "submit", class: "primary" }, "Send the report");
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const { duplicate } = await app.client.request("report.create", { id, ...thing, reason: new FormData(form).get("reason"), note: words.value.trim() || undefined });
      note(duplicate ? "You have reported it before. A moderator will look at it." : "Thank you. A moderator will look at it; what comes of it is told in your settings.");
      dialog.close();
    } catch (failure) {
      error.textContent = inWords(failure);
      error.hidden = false;
    }
    button.disabled = false;
  };
  const form = el("form", { onsubmit: submit },
    el("fieldset", { class: "plain-set" }, el("legend", {}, "What is wrong with it?"), ...choices),
    el("label", { for: words.id }, "What moderators should know ", el("span", { class: "hint" }, "(optional)")), words, error,
    el("div", { class: "row end" }, button));
  const dialog = openDialog({ title: `Report ${what === "profile" ? name : `a ${what} by ${name}`}`, body: [el("p", { class: "hint" }, "Only moderators learn that it was you."), form] });
}
