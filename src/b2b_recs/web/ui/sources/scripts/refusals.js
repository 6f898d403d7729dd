// A refusal of a partial update is said, and what is on the page stays; one that explains itself on the page (422) needs
// no toast. An answer takes away what was said about the same address before.
(() => {
  "use strict";

  const NETWORK = "network";
  const about = (ctx) => String(ctx?.request?.action ?? "").split("?")[0];

  let signedOut = null;  // what asks by itself says it once

  function signIn(byItself) {
    if (byItself && signedOut) return;
    const next = encodeURIComponent(location.pathname + location.search);
    signedOut = window.showToast("You are signed out. What is on this page stays here until you leave it.", "error", {
      about: "signed out", link: { href: `/accounts/login/?next=${next}`, words: "Sign in" },
    });
  }

  // The server's own words, from the page it answers with.
  function wordsOf(text) {
    const page = new DOMParser().parseFromString(text || "", "text/html");
    return page.querySelector("h1 + p")?.textContent.trim() || "The server could not answer. Reload the page and try again.";
  }

  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail ?? {};
    const status = ctx?.response?.status;
    if (status === 422) return;
    if (ctx) ctx.swap = "none";
    const polled = Boolean(event.target.closest?.("[data-poll]"));
    if (status === 401) signIn(polled);
    else if (!polled) window.showToast(wordsOf(ctx?.text), "error", { about: about(ctx) });
  });
  let lost = null;
  document.addEventListener("htmx:error", (event) => {
    if (event.target.closest?.("[data-poll]")) {
      lost ??= window.showToast("The connection to the server is lost. The page goes on when it is back.", "warning", { stays: true });
    } else {
      window.showToast("The server cannot be reached. Check your network and try again.", "error", { about: NETWORK });
    }
  });
  document.addEventListener("htmx:after:request", (event) => {
    window.forgetToasts(NETWORK);
    if ((event.detail?.ctx?.response?.status ?? 500) < 400) window.forgetToasts(about(event.detail.ctx));
    if (lost) window.showToast("The connection to the server is back.", "success");
    lost?.remove();
    lost = null;
  });
})();
