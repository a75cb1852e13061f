/**
 * Owns blocking and muting: the buttons on a profile, and the list of all whom one has hidden, with a way back.
 */
import { confirmed } from "./confirm.js";
import { avatar, el } from "./dom.js";

const HOUR_MS = 3_600_000;
const DURATIONS = [["For ever", null], ["1 hour", HOUR_MS], ["1 day", 24 * HOUR_MS], ["1 week", 168 * HOUR_MS]];

/** What hides a person, or shows them again; drawn anew with every change of `me`. */
export function hidingButtons(app, person) {
  const { client, me } = app;
  if (me.blocks.has(person.id)) {
    return [el("button", { type: "button", class: "plain", "data-act": "block", onclick: (event) => app.does(() => client.unblock(person.id), { button: event.currentTarget, done: `${person.name} is not blocked any more.` }) }, "Unblock")];
  }
  const mute = me.mutes.get(person.id);
  return [
    mute
      ? el("button", { type: "button", class: "small", "data-act": "mute", onclick: (event) => app.does(() => client.unmute(person.id), { button: event.currentTarget, done: `${person.name} is not muted any more.` }) }, "Unmute")
      : muting(app, person),
    el("button", { type: "button", class: "small", "data-act": "block", onclick: (event) => block(app, person, event.currentTarget) }, "Block"),
  ];
}

/** A list that acts when something is chosen would act on every press of an arrow key: so a button beside it. */
function muting(app, person) {
  const span = el("select", { "aria-label": "Mute for how long", "data-act": "mute-for" }, ...DURATIONS.map(([name], at) => el("option", { value: at }, name)));
  const mute = (button) => {
    const lasts = DURATIONS[span.value][1];
    return app.does(() => app.client.mute(person.id, { until: lasts === null ? undefined : Date.now() + lasts }), { button, done: `${person.name} is muted. They are not told.` });
  };
  return el("span", { class: "joined" }, el("button", { type: "button", class: "small", "data-act": "mute", onclick: (event) => mute(event.currentTarget) }, "Mute"), span);
}

async function block(app, person, button) {
  const sure = await confirmed({
    title: `Block ${person.name}?`, action: "Block",
    text: "Neither of you sees the other any more, and following ends in both directions. You find them in your settings.",
  });
  if (sure) await app.does(() => app.client.block(person.id), { button, done: `${person.name} is blocked.` });
}

/** All whom one blocks or has muted. */
export function hiddenPeople(app, { signal }) {
  const list = el("ul", { class: "rows", "aria-label": "Blocked and muted people" });
  const names = new Map();
  const draw = () => {
    if (!app.me.loaded) return;
    const hidden = [...[...app.me.blocks.values()].map((block) => ["block", block.blocked, block]), ...[...app.me.mutes.values()].map((mute) => ["mute", mute.muted, mute])];
    list.replaceChildren(...(hidden.length > 0 ? hidden.map((one) => row(app, names, draw, ...one)) : [el("li", { class: "meta" }, "Nobody.")]));
  };
  app.on("follows", draw, { signal });
  draw();
  return list;
}

function row(app, names, draw, kind, id, { until }) {
  if (!names.has(id)) {
    names.set(id, null);
    app.client.getUser({ id }).then(({ user }) => { names.set(id, user); draw(); }, () => {}); // Without a name the way back is still there.
  }
  const person = names.get(id);
  const name = person?.name ?? "Somebody";
  const what = kind === "block" ? "Blocked" : until ? `Muted until ${new Date(until).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}` : "Muted";
  const undo = kind === "block" ? () => app.client.unblock(id) : () => app.client.unmute(id);
  const word = kind === "block" ? "Unblock" : "Unmute";
  return el("li", { class: "row" }, person && avatar(person, "small"),
    el("div", { class: "who" }, person ? el("a", { class: "name", href: `#/user/${person.handle}` }, name) : el("span", { class: "name" }, name), el("span", { class: "meta" }, what)),
    el("button", { type: "button", class: "small", "aria-label": `${word} ${name}`, onclick: (event) => app.does(undo, { button: event.currentTarget }) }, word));
}
