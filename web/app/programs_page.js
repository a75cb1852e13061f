/**
 * Owns the page about programs that act for one: tokens for oneself, bots and theirs. Must never keep a secret longer than it is shown.
 */
import { uuidv7 } from "/client/ids.js";
import { confirmed } from "./confirm.js";
import { avatar, el } from "./dom.js";
import { smallForm } from "./form.js";
import { heading } from "./pages.js";
import { tokensOf } from "./tokens.js";
import { inWords } from "./words.js";

export function programsPage(app, { signal }) {
  const part = (title, ...nodes) => el("section", { class: "card stack part", "aria-label": title }, el("h2", {}, title), ...nodes);
  return {
    title: "Programs and bots",
    node: el("div", {}, heading("Programs and bots"),
      part("Tokens for yourself",
        el("p", { class: "hint" }, "A program that has a token of yours acts as you, as far as the token allows. It never learns your password."),
        tokensOf(app, { signal })),
      part("Your bots",
        el("p", { class: "hint" }, "A bot is an account of its own that a program speaks for. Its profile says that it is one, and whose."),
        bots(app, signal))),
  };
}

function bots(app, signal) {
  const list = el("ul", { class: "rows", "aria-label": "Bots" }, el("li", { class: "meta" }, "Loading…"));
  const load = async () => {
    try {
      const { bots: found } = await app.client.request("bot.all", {}, { signal });
      list.replaceChildren(...(found.length > 0 ? found.map(row) : [el("li", { class: "meta" }, "None yet.")]));
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(el("li", { class: "meta" }, inWords(error)));
    }
  };
  const row = (bot) => {
    const tokens = el("details", { class: "tokens-of" }, el("summary", {}, `Tokens of ${bot.name}`));
    // Asked for when somebody wants to see them.
    tokens.addEventListener("toggle", () => { if (tokens.open && tokens.children.length === 1) tokens.append(tokensOf(app, { signal, bot })); });
    return el("li", { class: "stack" },
      el("div", { class: "row" }, avatar(bot, "small"),
        el("div", { class: "who" }, el("a", { class: "name", href: `#/user/${bot.handle}` }, bot.name), el("span", { class: "meta" }, `@${bot.handle}`)),
        el("button", { type: "button", class: "small", "aria-label": `Stop ${bot.name}`, onclick: (event) => stop(bot, event.currentTarget) }, "Stop")),
      tokens);
  };
  const stop = async (bot, button) => {
    const sure = await confirmed({ title: `Stop ${bot.name}?`, text: "Its tokens end at once, and it can never be started again. What it wrote stays.", action: "Stop it for good" });
    if (sure && await app.does(() => app.client.request("bot.delete", { id: bot.id }), { button, done: `${bot.name} is stopped.` })) load();
  };
  const form = smallForm({
    key: "bot", action: "Make a bot",
    fields: [
      { name: "handle", label: "Handle", autocapitalize: "none", spellcheck: "false", autocomplete: "off" },
      { name: "name", label: "Name", autocomplete: "off" },
    ],
    send: async ({ handle, name }) => {
      await app.client.request("bot.create", { id: uuidv7(), handle, name });
      await load();
    },
  });
  load();
  return el("div", { class: "stack" }, list, form);
}
