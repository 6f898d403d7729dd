// Toasts. One that stays is taken away by whoever raised it; errors stay until they are dismissed, or until something
// newer is said about the same thing: window.showToast(words, type, {stays, about, link: {href, words}}).
(() => {
  "use strict";

  const shown = (box) => [...box.querySelectorAll(".toast")];
  const told = (item) => item.querySelector("p").textContent;

  function toast(message, type = "info", { stays = false, about = "", link = null } = {}) {
    const box = document.getElementById("toasts");
    if (!box) return null;
    const alike = shown(box).find((item) => told(item) === message && item.classList.contains("toast-error"));
    if (alike && type === "error") return alike;
    if (about) window.forgetToasts(about);
    const item = document.createElement("div");
    item.className = `toast toast-${type}`;
    item.setAttribute("data-about", about);
    const text = document.createElement("p");
    text.textContent = message;
    item.append(text);
    if (link) {
      const way = document.createElement("a");
      way.className = "btn btn-sm";
      way.href = link.href;
      way.textContent = link.words;
      item.append(way);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn btn-icon btn-sm";
    close.setAttribute("aria-label", "Dismiss");
    close.textContent = "×";
    close.addEventListener("click", () => item.remove());
    item.append(close);
    box.append(item);
    if (!stays && type !== "error" && type !== "danger") setTimeout(() => item.remove(), 6000);
    return item;
  }
  window.showToast = toast;
  // What was said about something no longer holds.
  window.forgetToasts = (about) => {
    const box = document.getElementById("toasts");
    for (const item of box ? shown(box) : []) if (item.getAttribute("data-about") === about) item.remove();
  };
})();
