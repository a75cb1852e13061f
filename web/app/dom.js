/**
 * Owns how elements are made. Must never turn a text into markup: children that are strings become text nodes.
 */

/** How somebody is, as the page knows it; set by presence_dots.js. */
let statusOf = () => null;
export const askStatus = (ask) => { statusOf = ask; };

/**
 * @param {string} tag
 * @param {Record<string, any>} [attributes] `on…` are listeners, `false`, null and undefined are left out, `true` is an empty attribute
 * @param {...(Node | string | null | undefined | false)} children
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * Makes `nodes` the children of `parent` without moving those that stay in order: a moved element loses its focus.
 * @param {Element} parent
 * @param {Node[]} nodes
 */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
}

const PATHS = {
  home: "M4 11.5 12 5l8 6.5M6.5 10v9h11v-9",
  globe: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM3.5 12h17M12 3.5c2.6 2.5 3.6 5.3 3.6 8.5s-1 6-3.6 8.5c-2.6-2.5-3.6-5.3-3.6-8.5s1-6 3.6-8.5Z",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20c.8-3.6 3.8-5.5 7.5-5.5s6.700 1.900 7.500 5.500",
  pen: "M5 19l.8-3.800L16 5l3 3L8.800 18.200 5 19Z",
  comment: "M5 5.500h14v10h-7.500L7.500 19v-3.500H5z",
  trash: "M5 7h14M9.500 7V4.500h5V7M7 7l.8 12.500h8.400L17 7",
  bell: "M6 16.500V11a6 6 0 0 1 12 0v5.500l1.500 2H4.500l1.500-2ZM10 20.500h4",
  mark: "M7 4.500h10v15l-5-4-5 4z",
  again: "M5 11V8.500h12m-3-3.500 3 3.500-3 3.500M19 13v2.500H7m3 3.500-3-3.500 3-3.500",
  smile: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17ZM8.500 14c1.800 2.500 5.200 2.500 7 0M9 9.500v.5m6-.5v.5",
  gear: "M5 7h8m4 0h2M5 17h2m4 0h8M15 4.500v5M9 14.500v5M5 12h3m4 0h7M10 9.500v5",
  pin: "M9 4.500h6l-.5 6 3 3.500h-11l3-3.500zM12 14v6",
  lock: "M6.500 11h11v8.500h-11zM9 11V8a3 3 0 0 1 6 0v3",
  people: "M9 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM2.500 19c.6-3 3-4.500 6.500-4.500s5.900 1.500 6.500 4.500M16 5a3.200 3.200 0 0 1 0 6.300m2.500 3.700c1.700.7 2.700 2 3 4",
  at: "M15.500 12a3.500 3.500 0 1 1-7 0 3.500 3.500 0 0 1 7 0Zm0 0v1.200c0 3 4.500 2.300 4.500-1.700a8 8 0 1 0-3.500 6.800",
  cross: "M6 6l12 12M18 6 6 18",
  more: "M4.500 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0Zm6.500 0a1 1 0 1 0 2 0 1 1 0 1 0-2 0Zm6.500 0a1 1 0 1 0 2 0 1 1 0 1 0-2 0Z",
  search: "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM15.500 15.500 20 20",
  image: "M4 5h16v14H4zM4 16l4.500-4.500 4 4L15 13l5 4.500M15.500 9.500h.01",
  list: "M9 6h11M9 12h11M9 18h11M4.500 6h.01M4.500 12h.01M4.500 18h.01",
  clock: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17ZM12 7v5l3.500 2",
  shield: "M12 3.500 5 6v6c0 4 3 7 7 8.500 4-1.500 7-4.500 7-8.500V6z",
  flag: "M6 20.500V4.500h11l-2 4 2 4H6",
  warn: "M12 4 3.500 19h17L12 4ZM12 10v4.500M12 17v.01",
  robot: "M5 9h14v10H5zM12 9V5M9 13.500h.01M15 13.500h.01M9.500 16.500h5M3 13v2m18-2v2",
  back: "M19 12H5m6-6-6 6 6 6",
  up: "M12 19V5m-6 6 6-6 6 6",
  enter: "M14 4.500h5v15h-5M4.500 12h10m-4-4 4 4-4 4",
  leave: "M10 4.500H5v15h5M9.500 12h10m-4-4 4 4-4 4",
};

/** A picture beside a word; it says nothing by itself. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" })) svg.setAttribute(key, value);
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A face: the picture that the server has for this state of the profile, before a coloured initial that is there until it comes. `bare`: without. */
export function avatar(person, size = "", { bare = false } = {}) {
  let hue = 0;
  for (const letter of person.handle) hue = (hue * 31 + letter.codePointAt(0)) % 12;
  const initial = [...(person.name.trim() || person.handle)][0].toUpperCase();
  const face = !bare && person.rev > 0 && el("img", { src: `/media/avatar/${person.id}/${person.rev}`, alt: "", loading: "lazy", decoding: "async" });
  // Whoever is here gets a dot: see presence_dots.js.
  return el("span", { class: `avatar hue-${hue} ${size}`, "aria-hidden": "true", "data-person": person.id, "data-status": statusOf(person.id) }, initial, face);
}
