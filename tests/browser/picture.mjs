/**
 * Makes docs/page.png: a small made-up community on a fresh server, in a wide and in a narrow window.
 *
 *   node picture.mjs <url> ../../docs/page.png
 */
import { Client, Rest } from "../../clients/js/src/index.js";
import { WebSocket } from "ws";
import { Person, startBrowser } from "./window.mjs";

const [url, file] = process.argv.slice(2);
const PASSWORD = "a long enough password";
const PEOPLE = { ida: "Ida Lindqvist", tomas: "Tomás Rivera", noor: "Noor Haddad", kenji: "Kenji Mori", wren: "Wren Okafor" };
const POSTS = [
  ["kenji", "The last ferry is delayed by ten minutes because of fog. The kiosk still has cinnamon buns."],
  ["wren", "Library repair evening went well: eleven lamps, one toaster, and a very grateful accordion."],
  ["noor", "First frost on the allotment. The kale is pleased, I am not.\n\nSeed swap on Saturday, bring envelopes."],
  ["tomas", "Field notes from the observatory: clear until 3, then cloud. Saturn was worth the cold fingers. https://example.org/notes"],
  ["ida", "Morning, everybody. The tide table for December is on the harbour wall, and here: https://example.org/tides"],
];

const clients = {};
const tokens = {};
for (const [handle, name] of Object.entries(PEOPLE)) {
  const account = { handle, name, email: `${handle}@example.org`, password: PASSWORD };
  tokens[handle] = await new Rest({ url }).signUp(account);
  clients[handle] = new Client({ url, WebSocket, getToken: () => tokens[handle].access_token });
  clients[handle].connect();
}
for (const other of Object.keys(PEOPLE).filter((handle) => handle !== "ida")) await clients.ida.follow(tokens[other].user.id);
let post;
for (const [handle, text] of POSTS) ({ post } = await clients[handle].createPost(text));
const { comment } = await clients.noor.createComment(post.id, "Thank you! Does the footbridge flood on the 4th again?");
await clients.ida.createComment(post.id, "Only at high water, a little after seven. Boots or patience.", { parent: comment.id });
await clients.kenji.createComment(post.id, "The ferry runs to the tide table as well, so I am reading along.");

const browser = await startBrowser();
const logsIn = async (person) => {
  await person.goes("#/login");
  await person.page.getByLabel("Handle or e-mail address").fill("ida");
  await person.page.getByLabel("Password").fill(PASSWORD);
  await person.page.getByRole("button", { name: "Log in" }).click();
  await person.sees("Morning, everybody");
  await person.isLive();
};
const calm = { reducedMotion: "reduce" };
const wide = await Person.sitsDown(browser, url, "ida", { ...calm, viewport: { width: 1180, height: 790 } });
const narrow = await Person.sitsDown(browser, url, "ida", { ...calm, viewport: { width: 360, height: 680 }, colorScheme: "dark" });
await Promise.all([logsIn(wide), logsIn(narrow)]);
await wide.page.evaluate(() => document.activeElement?.blur());
await narrow.goes(`#/post/${post.id}`);
await narrow.sees("Boots or patience");
await narrow.page.evaluate(() => scrollTo(0, 330));
const [left, right] = await Promise.all([wide, narrow].map(({ page }) => page.screenshot()));
const sheet = await browser.newPage({ viewport: { width: 1300, height: 830 } });
const picture = (bytes, style) => `<img style="position:absolute;border-radius:12px;box-shadow:0 12px 40px #0004;${style}" src="data:image/png;base64,${bytes.toString("base64")}">`;
await sheet.setContent(`<body style="margin:0;background:#d9e4e1">${picture(left, "left:20px;top:20px")}${picture(right, "right:20px;bottom:20px;width:330px")}</body>`);
await sheet.screenshot({ path: file });
await browser.close();
for (const client of Object.values(clients)) client.close();
