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
