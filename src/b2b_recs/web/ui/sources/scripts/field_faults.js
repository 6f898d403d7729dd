// A form sent in the background gets its refusals back as a fragment; each is put beside its field.
// The form names the place of the fragment: data-faults="#outcome"; data-stale="#outcome" empties it when something is typed.
(() => {
  "use strict";

  const NOTES = ".field-error[id$='-error']";

  function clear(form) {
    for (const note of form.querySelectorAll("[data-field-fault]")) note.remove();
    for (const input of form.querySelectorAll("[aria-invalid]")) {
      input.removeAttribute("aria-invalid");
      const words = (input.getAttribute("aria-describedby") || "").split(" ").filter((id) => !id.endsWith("-fault"));
      input.setAttribute("aria-describedby", words.join(" "));
    }
  }
  function mark(form) {
    clear(form);
    let first = null;
    for (const fault of form.querySelectorAll("[data-fault]")) {
      const input = window.formField(form, fault.dataset.fault);
      const field = input?.closest(".field");
      if (!field) continue;
      input.closest("details")?.setAttribute("open", "");
      const note = document.createElement("span");
      note.className = "field-error";
      note.id = `${input.id}-fault`;
      note.dataset.fieldFault = "";
      const hint = document.getElementById(`${input.id}-hint`)?.textContent ?? "";
      // what the hint beside the field says is not said again
      note.textContent = [...fault.querySelectorAll("p")].map((line) => line.textContent).filter((line) => !hint.startsWith(line)).join(" ");
      field.append(note);
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") || ""} ${note.id}`.trim());
      fault.remove();
      first ??= input;
    }
    first?.focus();
  }
  document.addEventListener("htmx:after:swap", () => {
    for (const form of document.querySelectorAll("form[data-faults]")) {
      const place = document.querySelector(form.getAttribute("data-faults"));
      if (place?.querySelector("[data-fault]")) mark(form);
      else if (place?.childElementCount) clear(form);
      for (const one of place?.querySelectorAll("[data-suggest]") ?? []) {
        const input = document.getElementById(one.dataset.suggestFor);
        if (input && !input.value) input.value = one.dataset.suggest;
      }
    }
  });
  // What a page said of a field when it was refused holds only until the field is changed.
  function forget(input) {
    const below = input.closest("tr")?.nextElementSibling?.closest(".schema-fault");
    const note = (input.closest(".field") ?? below)?.querySelector(".field-error[id$='-error']");
    if (!note) return;
    (below ?? note).remove();
    if (below) input = document.querySelector(`[aria-describedby~="${note.id}"]`) ?? input;
    input.removeAttribute("aria-invalid");
    const words = (input.getAttribute("aria-describedby") || "").split(" ").filter((id) => id !== note.id);
    if (words.join("")) input.setAttribute("aria-describedby", words.join(" "));
    else input.removeAttribute("aria-describedby");
    count();
  }
  // The notice on top holds as long as something it counts is left.
  function count() {
    const notice = document.querySelector("[data-refused-field]");
    const number = notice?.querySelector("[data-faults-left]");
    const elsewhere = notice?.querySelectorAll("[data-fault-elsewhere]").length ?? 0;
    const left = elsewhere + document.querySelectorAll(`form ${NOTES}`).length;
    if (number && left) number.textContent = left;
    else notice?.remove();
  }
  // A page that was refused begins where the first thing is to be changed.
  function begin() {
    if (!document.querySelector("[data-refused-field]")) return;
    for (const note of document.querySelectorAll(`form ${NOTES}`)) {
      note.closest("details")?.setAttribute("open", "");
    }
    for (const note of document.querySelectorAll(`form ${NOTES}`)) {
      const field = document.querySelector(`[aria-describedby~="${note.id}"]`) ?? note.closest(".field");
      const place = field?.matches("input, select") ? field : field?.querySelector("input, select") ?? note;
      if (!place.getClientRects().length) continue;
      place.focus();
      return;
    }
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
  document.addEventListener("input", (event) => {
    if (event.target.closest?.(".field, .schema-table")) forget(event.target);
    const form = event.target.closest?.("form[data-stale]");
    if (!form || event.target.closest("[data-lasting]")) return;
    document.querySelector(form.getAttribute("data-stale"))?.replaceChildren();
    const field = event.target.closest(".field");
    field?.querySelector("[data-field-fault]")?.remove();
    event.target.removeAttribute("aria-invalid");
  });
})();
