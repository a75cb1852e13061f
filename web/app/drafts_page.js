/**
 * Owns the page of what one has not published yet: drafts, and posts that publish themselves at their time. In step on all one's devices.
 */
import { note } from "./announce.js";
import { confirmed } from "./confirm.js";
import { arrange, el, icon } from "./dom.js";
import { heading } from "./pages.js";
import { postComposer } from "./post_composer.js";
import { VISIBILITIES } from "./visibility.js";
import { inWords, timeOf } from "./words.js";

export function draftsPage(app, { signal }) {
  const list = el("ul", { class: "notices drafts", "aria-label": "Drafts and posts for later" });
  const wait = el("p", { class: "loading" }, "Loading…");
  const empty = el("div", { class: "empty", hidden: true }, el("p", {}, "Nothing yet. Below a new post, “Save draft” keeps it here, and the clock publishes it at a time of your choice."));
  const older = el("button", { type: "button", class: "plain older", hidden: true, onclick: () => app.does(() => load(next), { button: older }) }, "Load older drafts");
  const items = new Map();
  let next = null;

  const draw = () => {
    wait.hidden = true;
    const sorted = [...items.values()].sort((one, other) => (one.draft.publish_at ?? Infinity) - (other.draft.publish_at ?? Infinity) || other.draft.rev - one.draft.rev);
    arrange(list, sorted.map(({ node }) => node));
    empty.hidden = items.size > 0 || Boolean(next);
    older.hidden = !next;
  };
  const put = (draft) => {
    const known = items.get(draft.id);
    if (known?.draft.rev >= draft.rev) return;
    const item = known ?? { node: el("li", { class: "card draft" }), editing: false };
    item.draft = draft;
    items.set(draft.id, item);
    if (!item.editing) drawItem(app, item, draw);
  };
  const load = async (before) => {
    const page = await app.client.drafts({ before, signal });
    for (const draft of page.drafts) put(draft);
    next = page.next;
    draw();
  };
  app.me.on("draft.updated", (draft) => { put(draft); draw(); }, { signal });
  app.me.on("draft.removed", ({ id }) => { items.delete(id); draw(); }, { signal });
  load().catch((error) => { if (!signal.aborted) wait.textContent = inWords(error); });
  return { title: "Drafts", node: el("div", {}, heading("Drafts"), wait, empty, list, older) };
}

function drawItem(app, item, redraw) {
  const { draft, node } = item;
  const kind = VISIBILITIES[draft.visibility ?? "public"];
  const when = draft.publishing ? "Being published…"
    : draft.failed ? `Could not be published: ${inWords({ code: draft.failed, message: draft.failed.replace("_", " ") })}`
    : draft.publish_at ? `Will be published on ${new Date(draft.publish_at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}` : null;
  const { client } = app;
  const publish = (button) => app.does(async () => {
    // The same id: published once, whatever happens in between.
    await client.createPost(draft.text, { id: draft.id, visibility: draft.visibility, warning: draft.warning, of: draft.of, comments: draft.comments });
    await client.deleteDraft(draft.id);
  }, { button, done: "Published." });
  const remove = async (button) => {
    const sure = await confirmed({ title: "Delete this draft?", text: "It is gone on all your devices.", action: "Delete" });
    if (sure) await app.does(() => client.deleteDraft(draft.id), { button });
  };
  node.replaceChildren(...[
    when && el("p", { class: draft.failed ? "error" : "meta when-published" }, icon("clock"), " ", when),
    draft.warning && el("p", { class: "meta" }, `Warning: ${draft.warning}`),
    el("div", { class: "prose" }, draft.text ?? ""),
    draft.of && el("p", { class: "meta" }, el("a", { href: `#/post/${draft.of}` }, "Quotes a post")),
    el("p", { class: "meta" }, `${kind.name} · `, timeOf(draft.changed_at)),
    !draft.publishing && el("div", { class: "row wrap" },
      el("button", { type: "button", class: "small", onclick: () => edit(app, item, redraw) }, "Edit"),
      draft.text && el("button", { type: "button", class: "small", onclick: (event) => publish(event.currentTarget) }, "Publish now"),
      el("button", { type: "button", class: "small", onclick: (event) => remove(event.currentTarget) }, "Delete")),
  ].filter(Boolean));
}

function edit(app, item, redraw) {
  const { draft, node } = item;
  item.editing = true;
  const done = () => {
    item.editing = false;
    drawItem(app, item, redraw);
    redraw();
    node.querySelector("button")?.focus();
  };
  const form = postComposer(app, {
    draft, later: true, label: "Text of the draft", action: "Publish", cancel: done, scheduled: done,
    send: async (text, _, values) => {
      await app.client.createPost(text, { id: draft.id, comments: draft.comments, ...values });
      await app.client.deleteDraft(draft.id);
      note("Published.");
    },
  });
  node.replaceChildren(form.node);
  form.focus();
}
