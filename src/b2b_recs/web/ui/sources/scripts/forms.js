// Forms: ask first when data-confirm says so; a second click while the first is sent does nothing.
// A field may be named like a property of its form (dataset, action, elements): what a form says of itself is read from
// its attributes, and its fields are asked for here.
(() => {
  "use strict";

  const { get: elementsOf } = Object.getOwnPropertyDescriptor(HTMLFormElement.prototype, "elements");
  window.formFields = (form) => [...elementsOf.call(form)];
  window.formField = (form, name) => window.formFields(form).find((field) => field.name === name) ?? null;

  const asks = (element) => element?.getAttribute("data-confirm-title");

  // A browser without a network still reaches a server on its own machine.
  async function sendIfReached(form, submitter) {
    try {
      await fetch(location.href, { method: "HEAD", cache: "no-store" });
    } catch {
      form.removeAttribute("data-confirmed");
      window.showToast("There is no network, so nothing was sent. What you typed is still here.", "error", { about: "network" });
      return;
    }
    form.setAttribute("data-reached", "");
    form.requestSubmit(submitter?.isConnected ? submitter : undefined);
    form.removeAttribute("data-reached");
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const asked = asks(event.submitter) ? event.submitter : form;
    if (asks(asked) && form.getAttribute("data-confirmed") !== "yes") {
      event.preventDefault();
      const submitter = event.submitter;
      window.showConfirmModal({
        title: asks(asked),
        message: asked.getAttribute("data-confirm-message") || "",
        confirmText: asked.getAttribute("data-confirm-text") || "Confirm",
        type: asked.getAttribute("data-confirm-type") || "info",
        onConfirm: () => {
          // a partial update may have replaced the form while the dialog was open
          const present = form.isConnected ? form : document.querySelector(`form[action="${form.getAttribute("action")}"]`);
          if (!present) return;
          present.setAttribute("data-confirmed", "yes");
          present.requestSubmit(submitter?.isConnected ? submitter : undefined);
        },
      });
      return;
    }
    if ((form.getAttribute("method") || "").toLowerCase() === "post" && !form.hasAttribute("hx-post")) {
      if (form.hasAttribute("data-sent")) {
        event.preventDefault();
        return;
      }
      if (!navigator.onLine && !form.hasAttribute("data-reached")) {
        event.preventDefault();
        sendIfReached(form, event.submitter);
        return;
      }
      form.setAttribute("data-sent", "yes");
      for (const button of form.querySelectorAll("button[type=submit], button:not([type])")) button.setAttribute("aria-busy", "true");
    }
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      form.removeAttribute("data-sent");
      form.removeAttribute("data-confirmed");
      for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    }
  });
})();
