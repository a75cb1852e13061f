/**
 * Owns the pictures of a post that is being written: chosen, dropped or pasted, sent while the words are still being found, each with a description.
 * Must never let a picture be posted that has not arrived, nor leave one behind on the server that was taken away again.
 */
import { el, icon } from "./dom.js";
import { fitting, PICTURES } from "./picture_files.js";
import { counted, inWords } from "./words.js";

const ALT_CHARS = 1_000;
const PREVIEW_PX = 160;
let made = 0;

/** @param {{ most: number, changed: () => void }} options `changed` hears of everything that changes what would be posted */
export function picturesChoice(app, { most, changed }) {
  const key = `pictures-${(made += 1)}`;
  let chosen = [];
  const list = el("ul", { class: "chosen", "aria-label": "Pictures of the post", hidden: true });
  const input = el("input", { type: "file", hidden: true, id: key, accept: PICTURES, multiple: true, onchange: () => { add([...input.files]); input.value = ""; } });
  const button = el("button", { type: "button", class: "small iconic", "aria-label": "Add pictures", title: "Add pictures", onclick: () => input.click() }, icon("image"));
  const error = el("p", { class: "error", role: "alert", hidden: true });

  const say = (text) => {
    error.textContent = text;
    error.hidden = !text;
  };
  const draw = () => {
    list.hidden = chosen.length === 0;
    button.disabled = chosen.length >= most;
    changed();
  };
  const add = (files) => {
    say("");
    const pictures = files.filter(({ type }) => PICTURES.split(",").includes(type));
    if (pictures.length < files.length) say("Only PNG, JPEG, WebP and GIF pictures can be shown.");
    if (chosen.length + pictures.length > most) say(`A post holds ${counted(most, "picture")} at most.`);
    for (const file of pictures.slice(0, most - chosen.length)) {
      const one = item(file);
      chosen.push(one);
      list.append(one.node);
    }
    draw();
  };
  const item = (file) => {
    const bar = el("progress", { max: 1, value: 0, "aria-label": `Sending ${file.name}` });
    const state = el("span", { class: "meta", role: "status" }, "Sending…");
    const again = el("button", { type: "button", class: "small", hidden: true, onclick: () => send() }, "Try again");
    const alt = el("input", { placeholder: "Describe it for who cannot see it", "aria-label": `Description of ${file.name}`, maxlength: ALT_CHARS, oninput: changed });
    const stop = new AbortController();
    const one = { media: null, failed: false, stop, alt };
    const picture = el("span", { class: "thumb" });
    one.node = el("li", {}, picture,
      el("div", { class: "stack" }, alt, el("div", { class: "row" }, bar, state, again,
        el("button", { type: "button", class: "small", "aria-label": `Remove ${file.name}`, onclick: () => remove(one) }, "Remove"))));
    preview(file, picture);
    const send = async () => {
      one.failed = false;
      again.hidden = true;
      bar.hidden = false;
      state.className = "meta";
      state.textContent = "Sending…";
      try {
        const bytes = await fitting(file, "image");
        one.media = await app.client.sendPicture(bytes, { signal: stop.signal, onProgress: (part) => { bar.value = part; if (part >= 1) state.textContent = "Being prepared…"; } });
        state.textContent = "Ready";
      } catch (failure) {
        if (stop.signal.aborted) return;
        one.failed = true;
        state.className = "error";
        state.textContent = inWords(failure);
        again.hidden = !failure.retryable;
      }
      bar.hidden = true;
      draw();
    };
    send();
    return one;
  };
  const remove = (one) => {
    one.stop.abort();
    one.node.remove();
    chosen = chosen.filter((other) => other !== one);
    if (one.media) app.client.forgetPicture(one.media.id).catch(() => {}); // What nothing shows is forgotten in a day anyway.
    say("");
    draw();
    button.focus();
  };
  const dropped = (event, { files }) => {
    if (!files?.length) return;
    event.preventDefault();
    add([...files]);
  };
  return {
    button: el("span", { class: "joined" }, button, input), list: el("div", { class: "stack" }, list, error),
    /** Lets pictures be dropped on and pasted into a form. */
    listen: (form) => {
      form.addEventListener("paste", (event) => dropped(event, event.clipboardData));
      form.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) event.preventDefault(); });
      form.addEventListener("drop", (event) => dropped(event, event.dataTransfer));
    },
    get some() { return chosen.length > 0; },
    good: () => chosen.every(({ media }) => media),
    values: () => chosen.map(({ media, alt }) => ({ id: media.id, alt: alt.value.trim() || undefined })),
    reset: () => {
      chosen = [];
      list.replaceChildren();
      say("");
      draw();
    },
  };
}

/** Drawn, not linked: the page's policy lets no picture in from anywhere but the server. */
async function preview(file, place) {
  try {
    const bitmap = await createImageBitmap(file, { resizeWidth: PREVIEW_PX, resizeQuality: "medium" });
    const canvas = el("canvas", { width: bitmap.width, height: bitmap.height, "aria-hidden": "true" });
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    place.replaceChildren(canvas);
    bitmap.close();
  } catch {
    place.replaceChildren(icon("image")); // What it is worth the server will say.
  }
}
