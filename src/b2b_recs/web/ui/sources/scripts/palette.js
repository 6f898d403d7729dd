// The command palette and the few keys every page has.
(() => {
  "use strict";

  const palette = () => document.getElementById("palette");
  const input = () => document.getElementById("palette-input");

  // Enter may be pressed before the answer to the last letter has come: then the answer decides.
  let eager = false;
  function go() {
    const shown = palette().querySelector("[data-palette-query]")?.dataset.paletteQuery;
    eager = shown !== input().value;
    if (!eager) palette().querySelector(".palette-hit")?.click();
  }

  function open() {
    const dialog = palette();
    if (!dialog || dialog.open) return;
    eager = false;
    dialog.showModal();
    input().value = "";
    input().focus();
    input().dispatchEvent(new CustomEvent("palette:open", { bubbles: true }));
  }
  function typing(element) {
    return element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  }
  document.addEventListener("htmx:after:swap", () => {
    if (eager && palette()?.open) go();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open-palette]")) open();
    if (event.target.closest("[data-open-keys]")) document.getElementById("keyboard-map")?.showModal();
    if (event.target === palette() || event.target.id === "keyboard-map") event.target.close();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
      return;
    }
    const dialog = palette();
    if (dialog?.open) {
      const hits = [...dialog.querySelectorAll(".palette-hit")];
      const at = hits.indexOf(document.activeElement);
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const next = at + (event.key === "ArrowDown" ? 1 : -1);
        if (next < 0) input().focus();
        else hits[Math.min(next, hits.length - 1)]?.focus();
      } else if (event.key === "Enter" && document.activeElement === input()) {
        event.preventDefault();
        go();
      } else if (event.key.length === 1 && at >= 0 && !event.ctrlKey && !event.metaKey) {
        input().focus();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      const search = document.querySelector("main input[type=search]");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    } else if (event.key === "?") {
      event.preventDefault();
      document.getElementById("keyboard-map")?.showModal();
    }
  });
})();
