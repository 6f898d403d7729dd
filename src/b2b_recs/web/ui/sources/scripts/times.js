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
