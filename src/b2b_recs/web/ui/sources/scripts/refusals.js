// A refusal of a partial update is said, not swallowed; one that explains itself on the page (422) needs no toast.
(() => {
  "use strict";

  document.addEventListener("htmx:response:error", (event) => {
    const status = event.detail?.ctx?.response?.status;
    if (event.target.closest?.("[data-poll]") || status === 422) return;
    window.showToast("The server could not answer. Reload the page and try again.", "error");
  });
  let lost = null;
  document.addEventListener("htmx:error", (event) => {
    if (event.target.closest?.("[data-poll]")) {
      lost ??= window.showToast("The connection to the server is lost. The page goes on when it is back.", "warning", true);
    } else {
      window.showToast("The server cannot be reached. Check your network and try again.", "error");
    }
  });
  document.addEventListener("htmx:after:request", () => {
    if (lost) window.showToast("The connection to the server is back.", "success");
    lost?.remove();
    lost = null;
  });
})();
