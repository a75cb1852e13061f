/**
 * Owns the settings that are one choice each. A choice is sent when it is made, and what another device chose is shown at once.
 */
import { el } from "./dom.js";
import { COMMENTERS } from "./thread_rules.js";
import { THEMES } from "./theme.js";
import { VISIBILITIES } from "./visibility.js";

const SEEN = Object.fromEntries(Object.entries(VISIBILITIES).map(([value, { name }]) => [value, name]));
const PRESENCE = { shown: "People who follow me", hidden: "Nobody" };

/** What the page does by itself with a choice: the server keeps it. */
export function appearance(app, { signal }) {
  return pairs(app, signal, [{ key: "theme", label: "Colours", options: THEMES, usual: "system" }]);
}

export function privacy(app, { signal }) {
  const asks = el("input", { type: "checkbox", id: "choice-asks", onchange: () => setAsks() });
  const setAsks = async () => {
    const wanted = asks.checked;
    if (!await app.does(() => app.client.request("user.update", { asks: wanted }), { button: asks, done: wanted ? "From now on you are asked before somebody follows you." : "Whoever wants to may follow you. Requests that wait still have to be answered." })) asks.checked = !wanted;
  };
  const draw = () => { asks.checked = Boolean(app.user?.asks); };
  app.on("follows", draw, { signal });
  draw();
  return el("div", { class: "stack" },
    pairs(app, signal, [
      { key: "visibility", label: "New posts are for", options: SEEN, usual: "public" },
      { key: "comments", label: "Who may comment", options: COMMENTERS, usual: "everyone" },
      { key: "presence", label: "Who sees when I am here", options: PRESENCE, usual: "shown" },
    ]),
    el("p", { class: "hint" }, "If nobody sees when you are here, you do not see it of others either."),
    el("label", { class: "check", for: asks.id }, asks, "Ask me before somebody follows me"),
    el("p", {}, el("a", { href: "#/requests" }, "Follow requests")));
}

function pairs(app, signal, choices) {
  const selects = choices.map(({ key, label, options, usual }) => {
    const select = el("select", { id: `choice-${key}`, onchange: () => app.does(() => app.client.updateSettings({ [key]: select.value }), { button: select }).then(draw) },
      ...Object.entries(options).map(([value, text]) => el("option", { value }, text)));
    return { key, label, usual, select };
  });
  const draw = () => {
    for (const { key, usual, select } of selects) if (document.activeElement !== select || select.disabled === false) select.value = app.me?.settings?.[key] ?? usual;
  };
  app.on("follows", draw, { signal });
  draw();
  return el("div", { class: "pairs" }, ...selects.flatMap(({ label, select }) => [el("label", { for: select.id }, label), select]));
}
