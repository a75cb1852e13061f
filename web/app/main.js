/**
 * The page's table of contents: makes the app, its frame, and shows the page the address names.
 */
import { note, say } from "./announce.js";
import { signUpPage, logInPage } from "./account_page.js";
import { App } from "./app.js";
import { bookmarksPage } from "./bookmarks_page.js";
import { connectionSign } from "./connection_sign.js";
import { avatar, el, icon } from "./dom.js";
import { draftsPage } from "./drafts_page.js";
import { listPage, listsPage } from "./lists_page.js";
import { modPage } from "./mod_page.js";
import { notificationsPage } from "./notifications_page.js";
import { globalPage, homePage, nothingPage, postPage, tagPage, topPage } from "./pages.js";
import { morePage, placesOf } from "./places.js";
import { presenceDots } from "./presence_dots.js";
import { programsPage } from "./programs_page.js";
import { profilePage } from "./profile_page.js";
import { requestsPage } from "./requests_page.js";
import { searchPage } from "./search_page.js";
import { settingsPage } from "./settings_page.js";
import { shortcuts } from "./shortcuts.js";
import { themed } from "./theme.js";
import { count, counted, inWords, refreshTimes } from "./words.js";

const TIMES_EVERY_MS = 20_000;
/** Scrolling has ended when nothing moved for so long. */
const PLACE_AFTER_MS = 150;
const UUID = "[0-9a-fA-F-]{36}";
/** `only`: who may see it; others are led to the page that fits them. */
const ROUTES = [
  { path: /^#\/home$/, page: homePage, only: "member" },
  { path: /^#\/global$/, page: globalPage },
  { path: /^#\/top\/(?<span>day|week)$/, page: topPage },
  { path: /^#\/user\/(?<handle>[a-z][a-z0-9_]{2,29})$/, page: profilePage },
  { path: new RegExp(`^#/post/(?<id>${UUID})$`), page: postPage },
  { path: /^#\/tag\/(?<tag>[^/?#]{1,200})$/, page: tagPage },
  { path: /^#\/notifications$/, page: notificationsPage, only: "member" },
  { path: /^#\/bookmarks$/, page: bookmarksPage, only: "member" },
  { path: /^#\/settings$/, page: settingsPage, only: "member" },
  { path: /^#\/search(?:\/(?<kind>people|posts|tags))?(?:\/(?<query>[^/?#]*))?$/, page: searchPage },
  { path: /^#\/lists$/, page: listsPage, only: "member" },
  { path: new RegExp(`^#/list/(?<id>${UUID})$`), page: listPage, only: "member" },
  { path: /^#\/drafts$/, page: draftsPage, only: "member" },
  { path: /^#\/requests$/, page: requestsPage, only: "member" },
  { path: /^#\/mod(?:\/(?<kind>open|settled|log))?$/, page: modPage, only: "member" },
  { path: /^#\/more$/, page: morePage, only: "member" },
  { path: /^#\/programs$/, page: programsPage, only: "member" },
  { path: /^#\/signup$/, page: signUpPage, only: "guest" },
  { path: /^#\/login$/, page: logInPage, only: "guest" },
  { path: /^.*$/, page: nothingPage },
];

const app = new App();
const main = document.getElementById("main");
let shown = null;
let pageTitle = "Tidings";
let spokenUnread = 0;
let placeTimer;
let drawnRole;

function show({ first = false } = {}) {
  const start = app.user ? "#/home" : "#/global";
  const hash = location.hash === "" || location.hash === "#" ? start : location.hash;
  const route = ROUTES.find(({ path }) => path.test(hash));
  const wrongDoor = (route.only === "member" && !app.user) || (route.only === "guest" && app.user);
  if (wrongDoor) return location.replace(app.user ? "#/home" : hash === "#/home" ? "#/global" : "#/login");
  clearTimeout(placeTimer); // It would note the old page's place for the new one.
  shown?.abort();
  shown = new AbortController();
  const { title, node, focus } = route.page(app, { signal: shown.signal, ...hash.match(route.path).groups });
  main.replaceChildren(node);
  pageTitle = title;
  scrollTo(0, history.state?.y ?? 0); // Back to where one was; a new page begins at its top.
  if (!first || focus) (focus ?? node.querySelector(".account-form input") ?? node.querySelector("h1"))?.focus({ preventScroll: true });
  drawNav(hash);
  dispatchEvent(new Event("tidings:shown"));
}

function drawNav(hash) {
  const places = placesOf(app);
  drawnRole = app.user?.role;
  const here = ({ href }) => href === hash || (hash.startsWith(`${href}/`) && !href.startsWith("#/user/")) || (href === "#/global" && hash.startsWith("#/top/")) || (href === "#/lists" && hash.startsWith("#/list/"));
  const inMore = places.some((place) => place.minor && here(place));
  document.getElementById("nav").replaceChildren(...places.map((place) => {
    const { href, picture, name, minor, narrow } = place;
    return el("a", { href, class: minor ? "minor" : narrow ? `narrow-only ${inMore ? "inside-more" : ""}` : null, "aria-current": here(place) && "page" },
      icon(picture), el("span", {}, name), picture === "bell" && el("span", { class: "unread-count", hidden: true }));
  }));
  drawUnread();
}

/** Beside the bell, and in the title for whoever has another page before it. */
function drawUnread() {
  const unread = app.notifications?.reading?.unread ?? 0;
  const badge = document.querySelector(".unread-count");
  if (badge) {
    badge.hidden = unread === 0;
    badge.replaceChildren(el("span", { "aria-hidden": "true" }, unread > 99 ? "99+" : count(unread)), el("span", { class: "spoken" }, ` (${count(unread)} unread)`));
  }
  if (unread > spokenUnread) say(counted(unread, "unread notification"));
  spokenUnread = unread;
  document.title = `${unread > 0 ? `(${unread}) ` : ""}${pageTitle} · Tidings`;
}

function drawAccount() {
  const { user } = app;
  document.getElementById("account").replaceChildren(...(!user ? [] : [
    avatar(user, "small"),
    el("div", { class: "who" }, el("span", { class: "name" }, user.name), el("span", { class: "meta" }, `@${user.handle}`)),
    el("a", { class: "button round", href: "#/settings", "aria-label": "Settings", title: "Settings" }, icon("gear")),
    el("button", { type: "button", class: "round", "aria-label": "Log out", title: "Log out", onclick: logOut }, icon("leave")),
  ]));
}

async function logOut() {
  try {
    await app.session.logOut();
  } catch (error) {
    note(`You are logged out here. ${inWords(error)}`, "bad");
  }
}

function personChanged({ reason }) {
  drawAccount();
  if (reason === "ended") note("Your session has ended. Please log in again.");
  if (!app.user && reason !== "elsewhere") location.hash = reason === "ended" ? "#/login" : "#/global";
  show();
}

function rememberPlace() {
  clearTimeout(placeTimer);
  placeTimer = setTimeout(() => history.replaceState({ y: scrollY }, ""), PLACE_AFTER_MS);
}

history.scrollRestoration = "manual";
addEventListener("scroll", rememberPlace, { passive: true });
document.getElementById("skip").addEventListener("click", () => main.focus());
addEventListener("hashchange", () => show());
setInterval(refreshTimes, TIMES_EVERY_MS);
app.on("person", personChanged);
app.on("follows", () => {
  drawAccount();
  if (app.user?.role !== drawnRole) drawNav(location.hash); // Somebody moderates from now on, or no more.
});
app.on("unread", drawUnread);
themed(app);
presenceDots(app);
connectionSign(app, document.getElementById("connection"));
shortcuts(app, document.getElementById("aside"));
drawAccount();
show({ first: true });
