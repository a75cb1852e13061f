/**
 * Owns how the page looks by choice: as the device has it, light or dark. Kept in the browser too, so that it is right before the server has said anything.
 */
const KEY = "tidings.theme";
export const THEMES = { system: "As this device has it", light: "Light", dark: "Dark" };

/** Applies what is chosen, now and whenever it changes, on whichever device. */
export function themed(app) {
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  };
  apply(localStorage.getItem(KEY));
  const told = () => {
    if (!app.me?.loaded) return;
    const theme = app.me.settings?.theme ?? "system";
    localStorage.setItem(KEY, theme);
    apply(theme);
  };
  app.on("follows", told);
}
