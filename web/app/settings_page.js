/**
 * Owns the settings: password, address, log-ins, what one wants to hear, whom one has hidden. Must never keep a password.
 */
import { note } from "./announce.js";
import { confirmed } from "./confirm.js";
import { el } from "./dom.js";
import { hiddenPeople } from "./hidden_people.js";
import { heading } from "./pages.js";
import { ago, counted, inWords } from "./words.js";

const KINDS = {
  follow: "Followers", mention: "Mentions", comment: "Comments", reply: "Answers", reaction: "Reactions", repost: "Reposts", quote: "Quotes",
};
const FROM = { everyone: "Everyone", followed: "People I follow", nobody: "Nobody" };

export function settingsPage(app, { signal }) {
  const part = (title, ...nodes) => el("section", { class: "card stack part", "aria-label": title }, el("h2", {}, title), ...nodes);
  return {
    title: "Settings",
    node: el("div", {}, heading("Settings"),
      part("Where you are logged in", logIns(app, signal)),
      part("Notifications", preferences(app, signal)),
      part("Blocked and muted people", hiddenPeople(app, { signal })),
      part("Password", passwordForm(app)),
      part("E-mail address", emailForm(app))),
  };
}

function logIns(app, signal) {
  const list = el("ul", { class: "rows", "aria-label": "Log-ins" }, el("li", { class: "meta" }, "Loading…"));
  const others = el("button", { type: "button", class: "small", hidden: true, onclick: (event) => endOthers(event.currentTarget) }, "Log out everywhere else");
  const load = async () => {
    try {
      const { sessions } = await app.client.logIns({ signal });
      list.replaceChildren(...sessions.map((one) => row(one)));
      others.hidden = sessions.length < 2;
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(el("li", { class: "meta" }, inWords(error)));
    }
  };
  const row = (one) => el("li", { class: "row" },
    el("div", { class: "who" }, el("span", { class: "name" }, deviceOf(one)),
      el("span", { class: "meta" }, one.current ? "This one" : `Last seen ${lately(one.seen_at)}`, ` · since ${new Date(one.created_at).toLocaleDateString("en-GB", { dateStyle: "medium" })}`)),
    !one.current && el("button", { type: "button", class: "small", "aria-label": `Log out ${deviceOf(one)}`, onclick: (event) => end(one.id, event.currentTarget) }, "Log out"));
  const end = async (id, button) => {
    if (await app.does(() => app.client.endLogIn(id), { button, done: "That log-in has ended." })) load();
  };
  const endOthers = async (button) => {
    const sure = await confirmed({ title: "Log out everywhere else?", text: "All your other devices have to log in again.", action: "Log out the others" });
    if (!sure) return;
    const done = await app.does(async () => {
      const { ended } = await app.client.endOtherLogIns();
      note(`${counted(ended, "log-in")} ended.`);
    }, { button });
    if (done) load();
  };
  load();
  return el("div", { class: "stack" }, list, el("div", { class: "row" }, others));
}

/** "Firefox on Linux" out of what the program called itself. */
function deviceOf({ device = "", client }) {
  const program = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]].find(([sign]) => device.includes(sign))?.[1];
  const system = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS", "Mac"], ["Linux", "Linux"]].find(([sign]) => device.includes(sign))?.[1];
  if (program) return system ? `${program} on ${system}` : program;
  return [device.slice(0, 40), client].find(Boolean) ?? "A program without a name";
}

function lately(at) {
  const when = ago(at);
  return when === "now" ? "just now" : /min|h$/.test(when) ? `${when} ago` : when;
}

function preferences(app, signal) {
  const selects = Object.entries(KINDS).map(([kind, name]) => {
    const select = el("select", { id: `hear-${kind}`, onchange: () => app.does(() => app.client.setPreferences({ [kind]: select.value }), { button: select }) },
      ...Object.entries(FROM).map(([value, text]) => el("option", { value }, text)));
    return { kind, name, select };
  });
  const draw = () => {
    for (const { kind, select } of selects) select.value = app.me.preferences?.[kind] ?? "everyone";
  };
  app.on("follows", draw, { signal });
  draw();
  return el("div", { class: "pairs" }, ...selects.flatMap(({ kind, name, select }) => [el("label", { for: `hear-${kind}` }, name), select]));
}

function passwordForm(app) {
  return smallForm({
    action: "Change password", hint: "All your other devices are logged out by it.",
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

function emailForm(app) {
  return smallForm({
    action: "Change address",
    fields: [
      { name: "email", label: "New address", type: "email", autocomplete: "email" },
      { name: "password", label: "Your password", type: "password", autocomplete: "current-password" },
    ],
    send: async ({ password, email }) => {
      const changed = await app.client.changeEmail(password, email);
      note(`From now on you log in with ${changed.email}.`);
    },
  });
}

function smallForm({ action, hint, fields, send }) {
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const button = el("button", { type: "submit", class: "plain" }, action);
  const parts = fields.map(({ name, label, ...more }) => ({ name, label, input: el("input", { id: `${action.split(" ")[1]}-${name}`, name, required: true, ...more }) }));
  const submit = async (event) => {
    event.preventDefault();
    error.hidden = true;
    for (const { input } of parts) input.removeAttribute("aria-invalid");
    button.disabled = true;
    try {
      await send(Object.fromEntries(parts.map(({ name, input }) => [name, input.value])));
      for (const { input } of parts) input.value = "";
    } catch (failure) {
      error.textContent = inWords(failure);
      error.hidden = false;
      const wrong = parts.find(({ name }) => name === failure.field);
      wrong?.input.setAttribute("aria-invalid", "true");
      (wrong?.input ?? button).focus();
    }
    button.disabled = false;
  };
  return el("form", { class: "stack", onsubmit: submit },
    ...parts.flatMap(({ label, input }) => [el("label", { for: input.id }, label), input]),
    hint && el("p", { class: "hint" }, hint), error, el("div", { class: "row" }, button));
}
