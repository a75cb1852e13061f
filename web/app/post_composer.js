/**
 * Owns the writing of a post with all that belongs to it: who may see it, a warning, pictures, when it is published, and what it quotes.
 */
import { note } from "./announce.js";
import { composer } from "./composer.js";
import { el, icon } from "./dom.js";
import { suggesting } from "./people_search.js";
import { picturesChoice } from "./pictures_choice.js";
import { visibilityChoice } from "./visibility.js";
import { characters } from "./words.js";

const WARNING_CHARS = 200;
const PICTURES = 4;
/** The server publishes no sooner; less than this ahead nobody could press the button. */
const SOONEST_MS = 60_000;
let made = 0;

/**
 * @param {{ post?: object, draft?: object, of?: string, inside?: Node, place?: string, label: string, placeholder?: string, action: string,
 *   send: (text: string, id: string, values: object) => Promise<any>, cancel?: () => void, later?: boolean, pictures?: boolean }} options
 *   `post` is edited, or `draft` gone on with, or `of` is quoted, shown by `inside`; `later`: it may be kept as a draft, or published at a time
 */
export function postComposer(app, { post, draft, of, inside, later = false, pictures = false, ...options }) {
  const key = `post-${(made += 1)}`;
  const from = post ?? draft;
  const usual = () => app.me?.settings?.visibility ?? "public";
  const choice = visibilityChoice(`${key}-sees`, from ? from.visibility ?? "public" : usual());
  const warning = warningLine(key, from?.warning);
  const clock = later ? clockLine(key, draft?.publish_at) : null;
  let changed = () => {};
  const gallery = pictures ? picturesChoice(app, { most: PICTURES, changed: () => changed() }) : null;
  // Settings come after the page, and from other devices; what somebody has chosen here stays.
  if (!from) app.me?.once?.("change", () => { if (!choice.dataset.chosen) choice.value = usual(); });
  choice.addEventListener("change", () => { choice.dataset.chosen = "yes"; });
  const seen = () => (choice.value === "public" ? undefined : choice.value);
  const kept = (text, id, values) => ({ id: draft?.id ?? id, text: text.trim() ? text : undefined, visibility: values.visibility, warning: values.warning, of: values.of, comments: draft?.comments });
  const whenPublished = async (text, id, values) => {
    const at = clock?.at();
    if (!at) return options.send(text, id, gallery?.some ? { ...values, media: gallery.values() } : values);
    await app.client.putDraft({ ...kept(text, id, values), publish_at: at });
    note(`It will be published on ${new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}.`);
    options.scheduled?.();
  };
  return composer({
    limit: app.limits.post_chars, text: from?.text, suggest: suggesting(app), ...options,
    send: later ? whenPublished : options.send,
    second: later && {
      action: "Save draft",
      send: async (text, id, values) => {
        await app.client.putDraft({ ...kept(text, id, values), publish_at: undefined });
        note("Saved to your drafts, on all your devices.");
        options.scheduled?.();
      },
    },
    extra: {
      above: el("div", { class: "stack" }, warning.field, clock?.field, inside), below: gallery?.list,
      beside: el("div", { class: "extras" }, choice, gallery?.button, warning.toggle, clock?.toggle),
      good: () => characters(warning.value) <= WARNING_CHARS && (!gallery || gallery.good()) && (!clock || clock.good()) && !(clock?.at() && gallery?.some),
      enough: () => Boolean(gallery?.some),
      listen: (form, whatChanged) => {
        changed = whatChanged;
        gallery?.listen(form);
      },
      action: () => (clock?.at() ? "Schedule" : options.action),
      // An edit says all there is: "" takes a warning away.
      values: () => (post
        ? { visibility: choice.value === (post.visibility ?? "public") ? undefined : choice.value, warning: warning.value === (post.warning ?? "") ? undefined : warning.value }
        : { visibility: seen(), warning: warning.value || undefined, of: of ?? draft?.of }),
      reset: () => {
        delete choice.dataset.chosen;
        choice.value = usual();
        warning.reset();
        clock?.reset();
        gallery?.reset();
      },
    },
  });
}

/** A line that opens, with the button that opens it. Closed it says nothing. */
function foldable(key, { label, name, open, input, opens }) {
  const field = el("div", { class: "warn-line", hidden: !open }, el("label", { class: "spoken", for: input.id }, label), input);
  const toggle = el("button", {
    type: "button", class: `small ${opens.class ?? ""}`, "aria-pressed": String(open), "aria-controls": input.id, title: name, "aria-label": opens.label,
    onclick: () => {
      field.hidden = !field.hidden;
      toggle.setAttribute("aria-pressed", String(!field.hidden));
      if (field.hidden) input.value = "";
      else input.focus();
      input.dispatchEvent(new Event("change", { bubbles: true }));
    },
  }, opens.face);
  const reset = () => {
    input.value = "";
    field.hidden = true;
    toggle.setAttribute("aria-pressed", "false");
  };
  return { field, toggle, reset };
}

function warningLine(key, value = "") {
  const input = el("input", { id: `${key}-warning`, placeholder: "What is it about?", autocomplete: "off", value });
  const line = foldable(key, { label: "Content warning", name: "Content warning", open: value !== "", input, opens: { face: icon("warn"), label: "Warning", class: "iconic" } });
  return { ...line, get value() { return input.value.trim(); } };
}

function clockLine(key, at) {
  const input = el("input", { id: `${key}-at`, type: "datetime-local", value: at ? localTime(at) : "", min: localTime(Date.now()) });
  const line = foldable(key, { label: "Publish at", name: "Publish later", open: Boolean(at), input, opens: { face: icon("clock"), label: "Publish later", class: "iconic" } });
  const time = () => (input.value ? new Date(input.value).getTime() : undefined);
  const good = () => line.field.hidden || (input.value !== "" && time() >= Date.now() + SOONEST_MS / 2);
  return { ...line, at: () => (line.field.hidden ? undefined : time()), good };
}

/** As the field wants it: local time, to the minute. */
function localTime(at) {
  const then = new Date(at);
  return new Date(at - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
