// Forms: ask first when data-confirm says so; a second click while the first is sent does nothing.
(() => {
  "use strict";

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const asked = event.submitter?.dataset.confirmTitle ? event.submitter : form;
    if (asked.dataset.confirmTitle && form.dataset.confirmed !== "yes") {
      event.preventDefault();
      const submitter = event.submitter;
      window.showConfirmModal({
        title: asked.dataset.confirmTitle,
        message: asked.dataset.confirmMessage || "",
        confirmText: asked.dataset.confirmText || "Confirm",
        type: asked.dataset.confirmType || "info",
        onConfirm: () => {
          // a partial update may have replaced the form while the dialog was open
          const present = form.isConnected ? form : document.querySelector(`form[action="${form.getAttribute("action")}"]`);
          if (!present) return;
          present.dataset.confirmed = "yes";
          present.requestSubmit(submitter?.isConnected ? submitter : undefined);
        },
      });
      return;
    }
    if (form.method === "post" && !form.hasAttribute("hx-post")) {
      if (form.dataset.sent === "yes") {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "yes";
      for (const button of form.querySelectorAll("button[type=submit], button:not([type])")) button.setAttribute("aria-busy", "true");
    }
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      delete form.dataset.confirmed;
      for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    }
  });
})();
