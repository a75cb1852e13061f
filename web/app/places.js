/**
 * Owns the list of places the page has, for the navigation and for the page that a narrow window has instead of half of it.
 */
import { el, icon } from "./dom.js";
import { heading } from "./pages.js";

export const isModerator = (user) => ["moderator", "admin"].includes(user?.role);

/** `minor`: not in the bar of a narrow window. */
export function placesOf({ user }) {
  return [
    user && { href: "#/home", picture: "home", name: "Home" },
    { href: "#/global", picture: "globe", name: "Global" },
    { href: "#/search", picture: "search", name: "Search" },
    user && { href: "#/notifications", picture: "bell", name: "Notifications" },
    user && { href: "#/lists", picture: "list", name: "Lists", minor: true },
    user && { href: "#/bookmarks", picture: "mark", name: "Bookmarks", minor: true },
    user && { href: "#/drafts", picture: "pen", name: "Drafts", minor: true },
    user && { href: `#/user/${user.handle}`, picture: "person", name: "Profile", minor: true },
    isModerator(user) && { href: "#/mod", picture: "shield", name: "Moderation", minor: true },
    user && { href: "#/more", picture: "more", name: "More", narrow: true },
    !user && { href: "#/login", picture: "enter", name: "Log in" },
    !user && { href: "#/signup", picture: "person", name: "Sign up" },
  ].filter(Boolean);
}

/** What a narrow window's bar has no room for. */
export function morePage(app) {
  const links = [...placesOf(app).filter(({ minor }) => minor), { href: "#/settings", picture: "gear", name: "Settings" }];
  return {
    title: "More",
    node: el("div", {}, heading("More"), el("ul", { class: "card rows more-places" },
      ...links.map(({ href, picture, name }) => el("li", {}, el("a", { href }, icon(picture), name))))),
  };
}
