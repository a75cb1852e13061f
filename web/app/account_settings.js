/**
 * Owns what concerns the account itself: its address, a copy of all that is in it, and its end. Must never keep a password, nor delete anything that was not plainly asked for.
 */
import { note } from "./announce.js";
import { confirmed } from "./confirm.js";
import { el } from "./dom.js";
import { smallForm } from "./form.js";
import { counted, inWords } from "./words.js";

export function passwordForm(app) {
  return smallForm({
    key: "password", action: "Change password", hint: "All your other devices are logged out by it.",
    fields: [
      { name: "current", label: "Present password", type: "password", autocomplete: "current-password" },
      { name: "new", label: "New password", type: "password", autocomplete: "new-password" },
    ],
    send: async (values) => {
      const { ended } = await app.client.changePassword(values.current, values.new);
      note(`Your password is changed.${ended > 0 ? ` ${counted(ended, "other log-in")} ended.` : ""}`);
    },
  });
}

/** The address one logs in with, shown to nobody else, and another one. */
export function emailForm(app, { signal }) {
  const shown = el("p", { class: "meta" });
  const load = async () => {
    try {
      const { email } = await app.client.request("account.get", {}, { signal });
      shown.textContent = `You log in with ${email}. Nobody else sees it.`;
    } catch (error) {
      if (!signal.aborted) shown.textContent = inWords(error);
    }
  };
  const form = smallForm({
    key: "address", action: "Change address",
    fields: [
      { name: "email", label: "New address", type: "email", autocomplete: "email" },
      { name: "password", label: "Your password", type: "password", autocomplete: "current-password" },
    ],
    send: async ({ password, email }) => {
      const changed = await app.client.changeEmail(password, email);
      note(`From now on you log in with ${changed.email}.`);
      load();
    },
  });
  load();
  return el("div", { class: "stack" }, shown, form);
}

/** All that is one's own, as a file. */
export function exportButton(app) {
  const get = async (button) => {
    button.disabled = true;
    try {
      const made = await app.client.request("account.export", {});
      const link = el("a", { href: new URL(made.url, location.origin).href, download: "" });
      document.body.append(link);
      link.click();
      link.remove();
      note("Your data is being downloaded.");
    } catch (error) {
      note(inWords(error), "bad");
    }
    button.disabled = false;
  };
  return el("div", { class: "stack" },
    el("p", { class: "hint" }, "A JSON file with your profile, settings, posts and their earlier versions, comments, follows, lists, bookmarks and all else that is yours."),
    el("div", { class: "row" }, el("button", { type: "button", class: "plain", onclick: (event) => get(event.currentTarget) }, "Download my data")));
}

export function deletionForm(app) {
  return smallForm({
    key: "deletion", action: "Delete my account", danger: true,
    hint: "At once and for good: you are logged out everywhere, your profile, posts, comments, drafts and address are erased, and nobody can bring them back. Your handle is kept from others for 30 days.",
    fields: [{ name: "password", label: "Your password", type: "password", autocomplete: "current-password" }],
    send: async ({ password }) => {
      const sure = await confirmed({ title: `Delete @${app.user.handle}?`, text: "Everything you wrote here goes with it. This cannot be undone; download your data first if you want to keep it.", action: "Delete my account for good" });
      if (!sure) return;
      await app.client.request("account.delete", { password });
      note("Your account is deleted.");
      app.session.ended();
    },
  });
}
