// Buttons that tick or untick a whole column of boxes, or press every button of a kind.
(() => {
  "use strict";

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tick], [data-untick]");
    if (button) {
      const name = button.dataset.tick || button.dataset.untick;
      for (const box of button.form.querySelectorAll(`input[type=checkbox][name="${name}"]`)) box.checked = Boolean(button.dataset.tick);
    }
    const all = event.target.closest("[data-click-all]");
    if (all) for (const one of document.querySelectorAll(all.dataset.clickAll)) one.click();
  });
})();
