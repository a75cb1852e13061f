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
  const form = smallForm({
    key: "address", action: "Change address",
    fields: [
      { name: "email", label: "New address", type: "email", autocomplete: "email" },
      { name: "password", label: "Your password", type: "password", autocomplete: "current-password" },
    ],
    send: async ({ password, email }) => {
      const changed = await app.client.changeEmail(password, email);
      note(`From now on you log in with ${changed.email}.`);
    },
  });
  return form;
}
