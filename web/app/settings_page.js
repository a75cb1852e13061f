/**
 * Owns the page of settings: log-ins and what one wants to hear itself, all else by its own module. Must never change anything that was not chosen here.
 */
import { deletionForm, emailForm, exportButton, passwordForm } from "./account_settings.js";
import { note } from "./announce.js";
import { appearance, privacy } from "./choices.js";
import { confirmed } from "./confirm.js";
import { el } from "./dom.js";
import { hiddenPeople } from "./hidden_people.js";
import { filtersSetting } from "./filters.js";
import { heading } from "./pages.js";
import { reportsSetting, standingSetting } from "./standing.js";
import { ago, counted, inWords } from "./words.js";

const KINDS = {
  follow: "Followers", request: "Follow requests", mention: "Mentions", comment: "Comments", reply: "Answers", reaction: "Reactions", repost: "Reposts", quote: "Quotes",
};
const FROM = { everyone: "Everyone", followed: "People I follow", nobody: "Nobody" };

export function settingsPage(app, { signal }) {
  const part = (title, ...nodes) => el("section", { class: "card stack part", "aria-label": title }, el("h2", {}, title), ...nodes);
  /** A section that is there only while it has something to say. */
  const perhaps = (title, make) => {
    const section = part(title);
    section.hidden = true;
    section.append(make(app, { signal, empty: (none) => { section.hidden = none; } }));
    return section;
  };
  return {
    title: "Settings",
    node: el("div", {}, heading("Settings"),
      perhaps("What moderators did", standingSetting),
      part("Appearance", appearance(app, { signal })),
      part("Privacy", privacy(app, { signal })),
      part("Notifications", preferences(app, signal)),
      part("Filters", filtersSetting(app, { signal })),
      part("Blocked and muted people", hiddenPeople(app, { signal })),
      perhaps("Your reports", reportsSetting),
      part("Where you are logged in", logIns(app, signal)),
      part("Password", passwordForm(app)),
      part("E-mail address", emailForm(app, { signal })),
      part("Programs and bots", el("p", { class: "hint" }, "Let a program act for you, or make a bot."), el("div", { class: "row" }, el("a", { class: "button plain", href: "#/programs" }, "Programs and bots"))),
      part("Your data", exportButton(app)),
      part("Delete the account", deletionForm(app))),
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
