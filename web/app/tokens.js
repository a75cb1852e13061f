/**
 * Owns the list of tokens and the making of one: its secret is shown once, to be copied, and nowhere again.
 */
import { confirmed } from "./confirm.js";
import { copied } from "./copy.js";
import { el } from "./dom.js";
import { ago, inWords } from "./words.js";

const DAY_MS = 86_400_000;
const LASTING = [["30 days", 30], ["A year", 365], ["Until I revoke it", null]];
const SCOPES = {
  read: "Read what you may read", write: "Write, follow and change things for you", mod: "Moderate", firehose: "Listen to everything public",
};
const SCOPE_WORDS = { read: "reads", write: "writes", mod: "moderates", firehose: "hears everything public" };
let made = 0;

/** @param {{ signal: AbortSignal, bot?: object }} options whose tokens; one's own without `bot` */
export function tokensOf(app, { signal, bot }) {
  const key = `tokens-${(made += 1)}`;
  const list = el("ul", { class: "rows", "aria-label": bot ? `Tokens of ${bot.name}` : "Your tokens" }, el("li", { class: "meta" }, "Loading…"));
  const place = el("div", {});
  const load = async () => {
    try {
      const { tokens } = await app.client.request("token.all", { bot: bot?.id }, { signal });
      list.replaceChildren(...(tokens.length > 0 ? tokens.map(row) : [el("li", { class: "meta" }, "None.")]));
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(el("li", { class: "meta" }, inWords(error)));
    }
  };
  const row = (token) => el("li", { class: "row" },
    el("div", { class: "who" }, el("span", { class: "name" }, token.name), el("span", { class: "meta" },
      [token.scopes.map((scope) => SCOPE_WORDS[scope] ?? scope).join(", "), token.seen_at ? `last used ${ago(token.seen_at)}` : "never used",
        token.expires_at && `until ${new Date(token.expires_at).toLocaleDateString("en-GB", { dateStyle: "medium" })}`].filter(Boolean).join(" · "))),
    el("button", { type: "button", class: "small", "aria-label": `Revoke ${token.name}`, onclick: (event) => revoke(token, event.currentTarget) }, "Revoke"));
  const revoke = async (token, button) => {
    const sure = await confirmed({ title: `Revoke ${token.name}?`, text: "The program that uses it is cut off at once.", action: "Revoke" });
    if (sure && await app.does(() => app.client.request("token.revoke", { id: token.id }), { button, done: "The token is revoked." })) load();
  };

  const name = el("input", { id: `${key}-name`, required: true, maxlength: 50, autocomplete: "off", placeholder: "What is it for?" });
  const lasting = el("select", { id: `${key}-lasting` }, ...LASTING.map(([words], at) => el("option", { value: at }, words)));
  const moderator = !bot && ["moderator", "admin"].includes(app.user?.role);
  const boxes = Object.entries(SCOPES).filter(([scope]) => scope !== "mod" || moderator).map(([scope, words]) => {
    const box = el("input", { type: "checkbox", id: `${key}-${scope}`, value: scope });
    box.checked = scope === "read";
    return { box, node: el("label", { for: box.id, class: "check" }, box, words) };
  });
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const button = el("button", { type: "submit", class: "plain" }, "Make a token");
  const submit = async (event) => {
    event.preventDefault();
    error.hidden = true;
    const scopes = boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
    if (scopes.length === 0) return complain("Choose what it may do.");
    button.disabled = true;
    const days = LASTING[lasting.value][1];
    try {
      const { secret } = await app.client.request("token.create", { bot: bot?.id, name: name.value, scopes, expires: days === null ? undefined : Date.now() + days * DAY_MS });
      name.value = "";
      tell(secret);
      load();
    } catch (failure) {
      complain(inWords(failure));
    }
    button.disabled = false;
  };
  const complain = (text) => {
    error.textContent = text;
    error.hidden = false;
  };
  const tell = (secret) => {
    const field = el("input", { id: `${key}-secret`, readonly: true, value: secret, class: "secret", spellcheck: "false", onfocus: () => field.select() });
    place.replaceChildren(el("div", { class: "card stack told", role: "group", "aria-label": "The new token" },
      el("label", { for: field.id }, "The new token"), field,
      el("p", { class: "hint" }, "Copy it now: it is shown this once, and nobody can look it up again."),
      el("div", { class: "row" },
        el("button", { type: "button", class: "primary", onclick: () => copied(secret, "The token is copied.") }, "Copy"),
        el("button", { type: "button", class: "plain", onclick: () => { place.replaceChildren(); name.focus(); } }, "Done"))));
    field.focus();
  };
  signal.addEventListener("abort", () => place.replaceChildren(), { once: true });
  load();
  return el("div", { class: "stack" }, list, place,
    el("form", { class: "stack making", onsubmit: submit },
      el("label", { for: name.id }, "Name of a new token"), name,
      el("fieldset", { class: "plain-set" }, el("legend", {}, "What it may do"), ...boxes.map(({ node }) => node)),
      el("div", { class: "row" }, el("label", { for: lasting.id }, "Good for"), lasting), error, el("div", { class: "row" }, button)));
}
