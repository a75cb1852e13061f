/**
 * Owns the two forms before one is somebody: sign up and log in. Must never keep a password.
 */
import { el } from "./dom.js";
import { heading } from "./pages.js";
import { inWords } from "./words.js";

const PASSWORD_BYTES = { least: 10, most: 1024 };

export function signUpPage(app) {
  return accountPage({
    title: "Sign up",
    lead: "It takes a minute.",
    fields: [
      { name: "handle", label: "Handle", hint: "3 to 30 letters a–z, digits or _, starting with a letter. Others find you by it.", autocomplete: "username", autocapitalize: "none", spellcheck: "false" },
      { name: "name", label: "Name", hint: "What others see. Your handle if you leave it empty.", autocomplete: "name", optional: true },
      { name: "email", label: "E-mail address", hint: "Never shown to anybody.", type: "email", autocomplete: "email" },
      { name: "password", label: "Password", hint: "At least 10 characters; a few words are easy to keep in mind.", type: "password", autocomplete: "new-password" },
    ],
    send: ({ handle, name, email, password }) => app.session.signUp({ handle, name: name.trim() || undefined, email, password }),
    other: ["Already here? ", el("a", { href: "#/login" }, "Log in")],
  });
}

export function logInPage(app) {
  return accountPage({
    title: "Log in",
    lead: "Good to see you again.",
    fields: [
      { name: "login", label: "Handle or e-mail address", autocomplete: "username", autocapitalize: "none", spellcheck: "false" },
      { name: "password", label: "Password", type: "password", autocomplete: "current-password" },
    ],
    send: ({ login, password }) => app.session.logIn({ login, password }),
    other: ["New here? ", el("a", { href: "#/signup" }, "Sign up")],
  });
}

function accountPage({ title, lead, fields, send, other }) {
  const error = el("p", { class: "error", id: "account-error", role: "alert", hidden: true });
  const button = el("button", { type: "submit", class: "primary wide" }, title);
  const parts = fields.map(fieldOf);
  const complain = (text, part) => {
    error.textContent = text;
    error.hidden = false;
    (part?.input ?? button).insertAdjacentElement(part ? "afterend" : "beforebegin", error);
    if (part) {
      part.input.setAttribute("aria-invalid", "true");
      part.input.focus();
    }
  };
  const submit = async (event) => {
    event.preventDefault();
    error.hidden = true;
    for (const part of parts) part.input.removeAttribute("aria-invalid");
    const empty = parts.find(({ field, input }) => !field.optional && input.value === "");
    if (empty) return complain(`Please fill in: ${empty.field.label}.`, empty);
    const values = Object.fromEntries(parts.map(({ field, input }) => [field.name, input.value]));
    const short = title === "Sign up" && passwordTrouble(values.password);
    if (short) return complain(short, parts.find(({ field }) => field.name === "password"));
    button.disabled = true;
    button.textContent = "One moment…";
    try {
      await send(values); // The session's change leads on to the home page.
    } catch (failure) {
      complain(inWords(failure), parts.find(({ field }) => field.name === failure.field));
    }
    button.disabled = false;
    button.textContent = title;
  };
  const form = el("form", { class: "card stack account-form", onsubmit: submit, novalidate: true },
    heading(title), el("p", { class: "lead" }, lead), ...parts.flatMap((part) => part.nodes), error, button, el("p", { class: "hint" }, ...other));
  return { title, node: form };
}

function fieldOf(field) {
  const id = `field-${field.name}`;
  const input = el("input", {
    id, name: field.name, type: field.type ?? "text", autocomplete: field.autocomplete, autocapitalize: field.autocapitalize,
    spellcheck: field.spellcheck, required: !field.optional, "aria-describedby": `account-error ${id}-hint`,
  });
  const label = el("label", { for: id }, field.label, field.optional && el("span", { class: "hint" }, " (optional)"));
  return { field, input, nodes: [label, input, field.hint && el("p", { class: "hint", id: `${id}-hint` }, field.hint)].filter(Boolean) };
}

function passwordTrouble(password) {
  const bytes = new TextEncoder().encode(password).length;
  if (bytes < PASSWORD_BYTES.least) return `The password needs at least ${PASSWORD_BYTES.least} characters.`;
  if (bytes > PASSWORD_BYTES.most) return "The password is too long.";
  return null;
}
