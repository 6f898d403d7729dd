// Clicks on elements that ask for something small.
(() => {
  "use strict";

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const source = document.getElementById(copy.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent.trim());
        window.showToast("Copied.", "success");
      } catch {
        getSelection().selectAllChildren(source);
        window.showToast("The browser refused to copy. The text is selected: press Ctrl C.", "warning");
      }
    }
    const ask = event.target.closest("[data-show-modal]");
    if (ask) {
      const { modalTitle, modalMessage, modalType, modalConfirm, modalDone } = ask.dataset;
      window.showConfirmModal({ title: modalTitle, message: modalMessage, type: modalType, confirmText: modalConfirm, onConfirm: () => modalDone && window.showToast(modalDone, modalType) });
    }
    const raise = event.target.closest("[data-toast]");
    if (raise) window.showToast(raise.dataset.toast, raise.dataset.toastType);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  });
})();

// The one confirmation dialog.
(() => {
  "use strict";

  window.showConfirmModal = ({ title, message, confirmText = "Confirm", cancelText = "Cancel", type = "info", onConfirm }) => {
    const dialog = document.getElementById("confirm-modal");
    const container = dialog.querySelector(".modal-container");
    container.className = `modal-container modal-${type}`;
    dialog.querySelector("[data-modal-title]").textContent = title;
    dialog.querySelector("[data-modal-message]").textContent = message;
    for (const icon of dialog.querySelectorAll("[data-modal-icon]")) icon.classList.toggle("hidden", icon.dataset.modalIcon !== type);
    const confirm = dialog.querySelector("[data-modal-confirm]");
    const cancel = dialog.querySelector("[data-modal-cancel]");
    confirm.textContent = confirmText;
    confirm.className = `btn ${type === "danger" ? "btn-danger" : type === "warning" ? "btn-warning" : "btn-success"}`;
    cancel.textContent = cancelText;
    cancel.classList.toggle("hidden", confirmText === "OK");
    confirm.onclick = () => {
      dialog.close();
      if (onConfirm) onConfirm();
    };
    cancel.onclick = () => dialog.close();
    dialog.onclick = (event) => {
      if (event.target === dialog) dialog.close();
    };
    dialog.showModal();
    (type === "danger" && confirmText !== "OK" ? cancel : confirm).focus();
  };
})();

// Forms: ask first when data-confirm says so; a second click while the first is sent does nothing.
(() => {
  "use strict";

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const asked = event.submitter?.dataset.confirmTitle ? event.submitter : form;
    if (asked.dataset.confirmTitle && form.dataset.confirmed !== "yes") {
      event.preventDefault();
      const submitter = event.submitter;
      window.showConfirmModal({
        title: asked.dataset.confirmTitle,
        message: asked.dataset.confirmMessage || "",
        confirmText: asked.dataset.confirmText || "Confirm",
        type: asked.dataset.confirmType || "info",
        onConfirm: () => {
          // a partial update may have replaced the form while the dialog was open
          const present = form.isConnected ? form : document.querySelector(`form[action="${form.getAttribute("action")}"]`);
          if (!present) return;
          present.dataset.confirmed = "yes";
          present.requestSubmit(submitter?.isConnected ? submitter : undefined);
        },
      });
      return;
    }
    if (form.method === "post" && !form.hasAttribute("hx-post")) {
      if (form.dataset.sent === "yes") {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "yes";
      for (const button of form.querySelectorAll("button[type=submit], button:not([type])")) button.setAttribute("aria-busy", "true");
    }
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      delete form.dataset.confirmed;
      for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    }
  });
})();

// Alpine components: small local state only.
(() => {
  "use strict";

  document.addEventListener("alpine:init", () => {
    window.Alpine.data("sideNav", () => ({
      open: false,
      toggle() { this.open = !this.open; },
      close() { this.open = false; },
    }));
    window.Alpine.data("tabs", () => ({
      chosen: "",
      init() { this.chosen = this.$el.dataset.first; },
      choose(event) { this.chosen = event.currentTarget.dataset.tab; },
      is(name) { return this.chosen === name; },
      selected(name) { return this.chosen === name ? "true" : "false"; },
      reach(name) { return this.chosen === name ? 0 : -1; },
      step(event) {
        const names = [...this.$root.querySelectorAll("[role=tab]")];
        const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!move) return;
        const next = names[(names.indexOf(event.currentTarget) + move + names.length) % names.length];
        this.chosen = next.dataset.tab;
        next.focus();
      },
    }));
  });
})();

// Log tail: follow the end unless the reader has scrolled up.
(() => {
  "use strict";

  const following = new Map();
  document.addEventListener("htmx:before:swap", () => {
    for (const log of document.querySelectorAll("[data-follow]")) {
      following.set(log.id, log.scrollTop + log.clientHeight >= log.scrollHeight - 24 ? null : log.scrollTop);
    }
  });
  function follow() {
    for (const log of document.querySelectorAll("[data-follow]")) {
      const place = following.get(log.id);
      log.scrollTop = place ?? log.scrollHeight;
    }
  }
  document.addEventListener("htmx:after:swap", follow);
  document.addEventListener("DOMContentLoaded", follow);
})();

// A refusal of a partial update is said, not swallowed.
(() => {
  "use strict";

  document.addEventListener("htmx:response:error", (event) => {
    if (event.target.closest?.("[data-poll]")) return;
    window.showToast("The server could not answer. Reload the page and try again.", "error");
  });
})();

// Theme: a cookie, so that the server renders the right colours and nothing flashes.
(() => {
  "use strict";

  function setTheme(theme) {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  }
  function shownTheme() {
    const chosen = document.documentElement.dataset.theme;
    if (chosen) return chosen;
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-toggle-theme]")) setTheme(shownTheme() === "dark" ? "light" : "dark");
  });
})();

// Times stay true while a page is open.
(() => {
  "use strict";

  function words(seconds) {
    const past = seconds >= 0;
    const s = Math.abs(seconds);
    const text = s < 60 ? (s < 5 ? "" : `${Math.floor(s)}s`) : s < 3600 ? `${Math.floor(s / 60)}m` : s < 86400 ? `${Math.floor(s / 3600)}h` : `${Math.floor(s / 86400)}d`;
    if (!text) return "just now";
    return past ? `${text} ago` : `in ${text}`;
  }
  function refreshTimes() {
    for (const element of document.querySelectorAll("time[data-ago]")) {
      element.textContent = words((Date.now() - Date.parse(element.dateTime)) / 1000);
    }
    for (const element of document.querySelectorAll("time[data-elapsed]")) {
      const s = Math.max(0, Math.floor((Date.now() - Date.parse(element.dateTime)) / 1000));
      element.textContent = s < 3600 ? `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}` : `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`;
    }
  }
  setInterval(refreshTimes, 1000);
})();

// Toasts.
(() => {
  "use strict";

  function toast(message, type = "info") {
    const box = document.getElementById("toasts");
    if (!box) return;
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
    if (type !== "error" && type !== "danger") setTimeout(() => item.remove(), 6000);
  }
  window.showToast = toast;
})();
