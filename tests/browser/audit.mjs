/**
 * Owns a few checks of what everybody can use: names of controls, landmarks, one heading, width, contrast of text.
 * Runs in the page; gives back what is wrong, in words.
 */

export async function audit(page) {
  return page.evaluate(() => {
    const wrong = [];
    const visible = (element) => element.checkVisibility() && element.getClientRects().length > 0;
    const nameOf = (element) =>
      element.getAttribute("aria-label")
      || [...(element.labels ?? [])].map((label) => label.textContent).join(" ")
      || element.textContent
      || element.title;
    for (const control of document.querySelectorAll("a, button, input, textarea, select")) {
      if (visible(control) && !nameOf(control)?.trim()) wrong.push(`no name: ${control.outerHTML.slice(0, 120)}`);
    }
    for (const landmark of ["main", "nav", "header"]) {
      if (document.querySelectorAll(`body ${landmark}`).length === 0) wrong.push(`no <${landmark}>`);
    }
    const headings = [...document.querySelectorAll("h1")].filter(visible).length;
    if (headings !== 1) wrong.push(`${headings} first headings`);
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) wrong.push(`id ${id} more than once`);
    for (const image of document.images) if (!image.hasAttribute("alt")) wrong.push(`no alt: ${image.src}`);
    if (document.documentElement.lang === "") wrong.push("no language");
    if (document.documentElement.scrollWidth > innerWidth) wrong.push(`${document.documentElement.scrollWidth} px wide in a window of ${innerWidth}`);
    if (!document.querySelector("[aria-live=polite]")) wrong.push("nothing speaks to screen readers");
    return [...wrong, ...faint()];

    /** WCAG 2.2 §1.4.3: 4.5 : 1, or 3 : 1 for large text. */
    function faint() {
      const pale = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.textContent.trim() || !visible(element) || element.closest(".spoken, .skip, :disabled, .fresh")) continue;
        const style = getComputedStyle(element);
        const ratio = contrast(rgb(style.color), ground(element));
        const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
        if (ratio < (large ? 3 : 4.5)) pale.push(`contrast ${ratio.toFixed(2)}: ${node.textContent.trim().slice(0, 40)} (${style.color} on ${ground(element)})`);
      }
      return pale;
    }
    function ground(element) {
      for (let at = element; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if (!/, 0\)$|transparent|color\(/.test(colour)) return rgb(colour);
      }
      return [255, 255, 255];
    }
    function rgb(colour) { return colour.match(/[\d.]+/g).slice(0, 3).map(Number); }
    function luminance(colour) {
      const [r, g, b] = colour.map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }
    function contrast(one, other) {
      const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
      return (light + 0.05) / (dark + 0.05);
    }
  });
}
