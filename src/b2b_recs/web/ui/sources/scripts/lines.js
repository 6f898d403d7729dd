// A box that puts its value as a line of its own into a field of lines, and takes it out again.
(() => {
  "use strict";

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!box.matches?.("input[data-line-of]")) return;
    const field = document.getElementById(box.dataset.lineOf);
    const lines = field.value.split("\n").map((line) => line.trim()).filter((line) => line && line !== box.value);
    field.value = [...lines, ...(box.checked ? [box.value] : [])].join("\n");
    field.rows = Math.min(Math.max(lines.length + Number(box.checked), 1), 6);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }, true);
})();
