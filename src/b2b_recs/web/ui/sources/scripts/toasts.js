// Toasts. One that stays is taken away by whoever raised it; errors stay until they are dismissed.
(() => {
  "use strict";

  function toast(message, type = "info", stays = false) {
    const box = document.getElementById("toasts");
    if (!box) return null;
    const item = document.createElement("div");
    item.className = `toast toast-${type}`;
    const text = document.createElement("p");
    text.textContent = message;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn btn-icon btn-sm";
    close.setAttribute("aria-label", "Dismiss");
    close.textContent = "×";
    close.addEventListener("click", () => item.remove());
    item.append(text, close);
    box.append(item);
    if (!stays && type !== "error" && type !== "danger") setTimeout(() => item.remove(), 6000);
    return item;
  }
  window.showToast = toast;
})();
