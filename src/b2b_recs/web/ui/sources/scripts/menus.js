// Small menus made of <details>: one open at a time, closed by Escape, by a click elsewhere and by choosing.
(() => {
  "use strict";

  const open = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.removeAttribute("open");
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.menu[open]");
    if (!menu) return;
    if (event.key === "Escape") {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    }
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const items = [...menu.querySelectorAll("a, button")].filter((item) => !item.disabled);
    const at = items.indexOf(document.activeElement);
    items[(at + move + items.length) % items.length]?.focus();
  });
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches?.("details.menu[open]")) return;
    for (const menu of open()) if (menu !== event.target) menu.removeAttribute("open");
  }, true);
})();
