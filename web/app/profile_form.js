/**
 * Owns the editing of one's own profile: name, words, picture. A picture is sent when it is chosen, and shown to others when the profile is saved.
 */
import { note } from "./announce.js";
import { avatar, el } from "./dom.js";
import { heading } from "./pages.js";
import { fitting, PICTURES } from "./picture_files.js";
import { characters, count, counted, inWords } from "./words.js";

const NAME_CHARS = 50;
const BIO_CHARS = 500;

export function profileForm(app, user, { close }) {
  const name = el("input", { id: "profile-name", value: user.name, required: true, autocomplete: "name" });
  const bio = el("textarea", { id: "profile-bio", rows: 4, oninput: () => counting() });
  bio.value = user.bio;
  const left = el("span", { class: "counter" });
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const save = el("button", { type: "submit", class: "primary" }, "Save");
  const counting = () => {
    left.textContent = `${count(characters(bio.value))} / ${count(BIO_CHARS)}`;
    left.classList.toggle("over", characters(bio.value) > BIO_CHARS);
  };
  const complain = (text) => {
    error.textContent = text;
    error.hidden = !text;
  };
  const face = facePart(app, user, { complain, busy: (is) => { save.disabled = is; } });
  const submit = async (event) => {
    event.preventDefault();
    if (characters(name.value) > NAME_CHARS) return complain(`The name can be at most ${counted(NAME_CHARS, "character")} long.`);
    save.disabled = true;
    try {
      await app.client.request("user.update", { name: name.value, bio: bio.value, avatar: face.chosen() });
      note("Your profile is saved.");
      close();
    } catch (failure) {
      complain(inWords(failure));
      save.disabled = false;
    }
  };
  counting();
  return el("form", { class: "stack", onsubmit: submit },
    heading("Edit profile"), face.node, el("label", { for: "profile-name" }, "Name"), name,
    el("label", { for: "profile-bio" }, "About you"), bio,
    el("div", { class: "row" }, left, el("button", { type: "button", class: "plain", onclick: close }, "Cancel"), save), error);
}

/** `chosen()`: undefined leaves it as it is, null takes it away, an id is a new one. */
function facePart(app, user, { complain, busy }) {
  let chosen;
  const shown = el("span", {}, avatar(user, "large"));
  const bar = el("progress", { max: 1, value: 0, hidden: true, "aria-label": "Sending the picture" });
  const state = el("span", { class: "meta", role: "status" });
  const input = el("input", { type: "file", hidden: true, id: "profile-face", accept: PICTURES, onchange: () => take() });
  const remove = el("button", { type: "button", class: "small", hidden: !user.avatar, onclick: () => drop() }, "Remove picture");
  const take = async () => {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    complain("");
    busy(true);
    bar.hidden = false;
    state.textContent = "Sending…";
    try {
      const media = await app.client.sendPicture(await fitting(file, "avatar"), { kind: "avatar", onProgress: (part) => { bar.value = part; } });
      chosen = media.id;
      shown.replaceChildren(el("img", { class: "avatar large", src: media.thumb_url, alt: "The new picture", width: 72, height: 72 }));
      state.textContent = "Shown to others when you save.";
      remove.hidden = false;
    } catch (error) {
      state.textContent = "";
      complain(inWords(error));
    }
    bar.hidden = true;
    busy(false);
  };
  const drop = () => {
    chosen = null;
    shown.replaceChildren(avatar(user, "large", { bare: true }));
    state.textContent = "Gone when you save.";
    remove.hidden = true;
  };
  return {
    chosen: () => chosen,
    node: el("div", { class: "row wrap" }, shown, el("button", { type: "button", class: "small", onclick: () => input.click() }, "Choose a picture"), remove, input, bar, state),
  };
}
