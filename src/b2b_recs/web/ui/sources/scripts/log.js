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
