// A refusal of a partial update is said, not swallowed.
(() => {
  "use strict";

  document.addEventListener("htmx:response:error", (event) => {
    if (event.target.closest?.("[data-poll]")) return;
    window.showToast("The server could not answer. Reload the page and try again.", "error");
  });
})();
