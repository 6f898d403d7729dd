// The one confirmation dialog.
(() => {
  "use strict";

  window.showConfirmModal = ({ title, message, confirmText = "Confirm", cancelText = "Cancel", type = "info", onConfirm }) => {
    const dialog = document.getElementById("confirm-modal");
    const container = dialog.querySelector(".modal-container");
    container.className = `modal-container modal-${type}`;
    dialog.querySelector("[data-modal-title]").textContent = title;
    dialog.querySelector("[data-modal-message]").textContent = message;
    for (const icon of dialog.querySelectorAll("[data-modal-icon]")) icon.classList.toggle("hidden", icon.dataset.modalIcon !== type);
    const confirm = dialog.querySelector("[data-modal-confirm]");
    const cancel = dialog.querySelector("[data-modal-cancel]");
    confirm.textContent = confirmText;
    confirm.className = `btn ${type === "danger" ? "btn-danger" : type === "warning" ? "btn-warning" : "btn-success"}`;
    cancel.textContent = cancelText;
    cancel.classList.toggle("hidden", confirmText === "OK");
    confirm.onclick = () => {
      dialog.close();
      if (onConfirm) onConfirm();
    };
    cancel.onclick = () => dialog.close();
    dialog.onclick = (event) => {
      if (event.target === dialog) dialog.close();
    };
    dialog.showModal();
    (type === "danger" && confirmText !== "OK" ? cancel : confirm).focus();
  };
})();
