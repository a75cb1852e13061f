/**
 * Owns the page of one's lists, the page of one list with its people, and the window that puts somebody into lists. Lists are nobody else's business.
 */
import { uuidv7 } from "/client/ids.js";
import { note } from "./announce.js";
import { confirmed } from "./confirm.js";
import { openDialog } from "./dialog.js";
import { arrange, el, icon } from "./dom.js";
import { smallForm } from "./form.js";
import { heading } from "./pages.js";
import { personRow } from "./people_search.js";
import { PostList } from "./post_list.js";
import { counted, inWords } from "./words.js";

const SETTLE_MS = 300;
const NAME_CHARS = 50;
const byName = (one, other) => one.name.localeCompare(other.name);
/** In the order of the alphabet. */
const listsOf = (app) => [...(app.me?.lists?.values() ?? [])].sort(byName);

export function listsPage(app, { signal }) {
  const list = el("ul", { class: "rows", "aria-label": "Your lists" });
  const draw = () => {
    if (!app.me.loaded) return;
    const lists = listsOf(app);
    list.replaceChildren(...(lists.length > 0 ? lists.map((one) => el("li", { class: "row between" },
      el("a", { class: "name", href: `#/list/${one.id}` }, one.name), el("span", { class: "meta" }, counted(one.members, "person", "people")))) : [el("li", { class: "meta" }, "None yet.")]));
  };
  app.on("follows", draw, { signal });
  draw();
  const form = smallForm({
    key: "list", action: "Make a list", hint: "Only you see your lists. Whoever is in one is not told, and you need not follow them.",
    fields: [{ name: "name", label: "Name of a new list", maxlength: NAME_CHARS, autocomplete: "off" }],
    send: async ({ name }) => {
      const id = uuidv7();
      await app.client.request("list.create", { id, name });
      location.hash = `#/list/${id}`;
    },
  });
  return { title: "Lists", node: el("div", {}, heading("Lists"), el("section", { class: "card stack part" }, list, form)) };
}

export function listPage(app, { signal, id }) {
  const feed = app.client.feed(`list:${id}`, { signal });
  const title = heading("List");
  const people = el("ul", { class: "rows people", "aria-label": "People in this list" });
  const panel = el("details", { class: "card part" }, el("summary", {}, "People and name"));
  const empty = () => [el("p", {}, "Nothing yet. What the people of this list write appears here the moment they write it.")];
  const posts = new PostList(app, feed, { empty, signal, marked: true });
  const members = async () => {
    try {
      const { members: found } = await app.client.request("list.members", { id }, { signal });
      people.replaceChildren(...(found.length > 0 ? found.map((person) => personRow(person, el("button", {
        type: "button", class: "small", "aria-label": `Remove ${person.name} from the list`,
        onclick: (event) => app.does(() => app.client.request("list.remove", { id, user: person.id }), { button: event.currentTarget }),
      }, "Remove"))) : [el("li", { class: "meta" }, "Nobody yet.")]));
    } catch (error) {
      if (!signal.aborted) people.replaceChildren(el("li", { class: "meta" }, inWords(error)));
    }
  };
  const draw = () => {
    const one = app.me.lists?.get(id);
    if (one && title.textContent !== one.name) {
      title.textContent = one.name;
      document.title = `${one.name} · Tidings`;
    }
  };
  app.on("follows", draw, { signal });
  for (const event of ["member.created", "member.removed"]) app.me.on(event, ({ list }) => { if (list === id) members(); }, { signal });
  app.me.on("list.removed", (gone) => { if (gone.id === id) location.hash = "#/lists"; }, { signal });
  const rename = smallForm({
    key: "rename", action: "Rename", fields: [{ name: "name", label: "Name", maxlength: NAME_CHARS, autocomplete: "off" }],
    send: ({ name }) => app.client.request("list.update", { id, name }),
  });
  const remove = async (button) => {
    const sure = await confirmed({ title: "Delete this list?", text: "Nobody is told, and nobody is unfollowed by it.", action: "Delete" });
    if (sure && await app.does(() => app.client.request("list.delete", { id }), { button, done: "The list is deleted." })) location.hash = "#/lists";
  };
  panel.append(el("div", { class: "stack" }, people, adding(app, id), rename,
    el("div", { class: "row" }, el("button", { type: "button", class: "small", onclick: (event) => remove(event.currentTarget) }, "Delete the list"))));
  panel.addEventListener("toggle", () => { if (panel.open) members(); });
  draw();
  // An empty list is filled first.
  feed.ready().then(() => { if (app.me.lists?.get(id)?.members === 0) panel.open = true; }, () => {});
  const back = el("a", { class: "button round", href: "#/lists", "aria-label": "All lists" }, icon("back"));
  return { title: "List", node: el("div", {}, el("div", { class: "row title" }, back, title), panel, posts.node) };
}

/** A field that finds people to put in. */
function adding(app, id) {
  const found = el("ul", { class: "rows people", "aria-label": "People found" });
  let timer;
  let asked = "";
  const look = async () => {
    asked = field.value.trim();
    if (asked === "") return arrange(found, []);
    const mine = asked;
    try {
      const { people } = await app.client.request("search.people", { query: mine.replace(/^@/, ""), limit: 5 });
      if (mine !== asked) return;
      found.replaceChildren(...people.map(({ user, ...rest }) => {
        const person = user ?? rest;
        return personRow(person, el("button", {
          type: "button", class: "small", "aria-label": `Add ${person.name} to the list`,
          onclick: async (event) => {
            if (!await app.does(() => app.client.request("list.add", { id, user: person.id }), { button: event.currentTarget, done: `${person.name} is in the list.` })) return;
            field.value = "";
            found.replaceChildren();
            field.focus();
          },
        }, "Add"));
      }));
    } catch (error) {
      found.replaceChildren(el("li", { class: "meta" }, inWords(error)));
    }
  };
  const field = el("input", {
    id: "list-add", type: "search", autocomplete: "off", spellcheck: "false", placeholder: "Name or handle",
    oninput: () => { clearTimeout(timer); timer = setTimeout(look, SETTLE_MS); },
  });
  return el("div", { class: "stack" }, el("label", { for: field.id }, "Add people"), field, found);
}

/** Which of one's lists hold somebody, to be changed. */
export async function listsOfPerson(app, person) {
  const boxes = el("div", { class: "stack" }, el("p", { class: "meta" }, "Loading…"));
  openDialog({ title: `Lists with ${person.name}`, body: [boxes, el("p", { class: "hint" }, "They are not told."), el("div", { class: "row" }, el("a", { class: "button plain", href: "#/lists" }, "All lists"))] });
  try {
    const lists = listsOf(app);
    const holding = await Promise.all(lists.map(async ({ id }) => (await app.client.request("list.members", { id })).members.some((member) => member.id === person.id)));
    boxes.replaceChildren(...(lists.length > 0 ? lists.map((list, at) => {
      const box = el("input", { type: "checkbox", id: `in-${list.id}`, onchange: () => change() });
      box.checked = holding[at];
      const change = async () => {
        const wanted = box.checked;
        if (!await app.does(() => app.client.request(wanted ? "list.add" : "list.remove", { id: list.id, user: person.id }), { button: box })) box.checked = !wanted;
      };
      return el("label", { class: "check", for: box.id }, box, list.name);
    }) : [el("p", {}, "You have no lists yet.")]));
  } catch (error) {
    note(inWords(error), "bad");
  }
}
