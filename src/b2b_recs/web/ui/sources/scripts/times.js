// Times stay true while a page is open.
(() => {
  "use strict";

  function words(seconds) {
    const past = seconds >= 0;
    const size = Math.abs(seconds);
    if (size < 5) return "just now";
    let text = "";
    for (const [limit, unit, letter] of [[60, 1, "s"], [3600, 60, "m"], [86400, 3600, "h"], [Infinity, 86400, "d"]]) {
      // What is to come is rounded: seven days less a moment are seven days.
      const count = past ? Math.floor(size / unit) : Math.round(size / unit);
      text = `${count}${letter}`;
      if (count * unit < limit) break;
    }
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
