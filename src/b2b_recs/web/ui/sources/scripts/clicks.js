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
