// A form with data-kept-as gets back what was typed into it after a reload, a way back or a session that ended: the tab
// keeps it under that name until it is saved. Passwords, keys and whatever looks like one are never kept.
(() => {
  "use strict";

  const FORMS = "form[data-kept-as]";
  const SECRET = /[:/]\S*@|(password|passwd|pwd|secret|token|sig|signature|key|code|credential|auth)\s*[=:]|-----BEGIN/i;
  const nameOf = (form) => form.getAttribute("data-kept-as");

  function plain(form) {
    return window.formFields(form).filter(
      (field) => field.name && field.matches("input, select, textarea") && !field.matches("[type=hidden], [type=password], [data-secret], [name^='forget-']"),
    );
  }
  const ticks = (field) => field.type === "checkbox";
  const valueOf = (field) => (ticks(field) ? field.checked : field.value);
  function usual(field) {
    if (ticks(field)) return field.defaultChecked;
    if (field.tagName !== "SELECT") return field.defaultValue;
    return ([...field.options].find((option) => option.defaultSelected) ?? field.options[0])?.value ?? "";
  }

  // A browser may refuse its storage; then nothing is kept.
  function store(use) {
    try { return use(sessionStorage); } catch { return null; }
  }
  function keep(form) {
    const typed = plain(form).filter((field) => valueOf(field) !== usual(field) && !SECRET.test(valueOf(field)));
    const values = Object.fromEntries(typed.map((field) => [field.name, valueOf(field)]));
    store((kept) => (typed.length ? kept.setItem(nameOf(form), JSON.stringify(values)) : kept.removeItem(nameOf(form))));
  }
  const forget = (form) => store((kept) => kept.removeItem(nameOf(form)));

  function fill(form) {
    const values = store((kept) => JSON.parse(kept.getItem(nameOf(form)) ?? "null"));
    if (!values) return;
    for (const field of plain(form)) {
      if (!(field.name in values)) continue;
      if (ticks(field)) field.checked = values[field.name] === true;
      else if (field.tagName !== "SELECT" || [...field.options].some((option) => option.value === values[field.name])) field.value = values[field.name];
      if (valueOf(field) !== usual(field)) field.closest("details")?.setAttribute("open", "");
    }
    form.querySelector("[data-kept-words]")?.removeAttribute("hidden");
  }
  function begin() {
    for (const form of document.querySelectorAll(FORMS)) fill(form);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();

  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
      const form = event.target.form?.closest?.(FORMS);
      if (form) keep(form);
    });
  }
  document.addEventListener("click", (event) => {
    const form = event.target.closest?.("[data-kept-clear]")?.form;
    if (!form) return;
    forget(form);
    HTMLFormElement.prototype.reset.call(form);
    form.querySelector("[data-kept-words]")?.setAttribute("hidden", "");
  });
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail ?? {};
    const form = ctx?.sourceElement?.closest?.(FORMS);
    if (form && ctx.response?.headers?.get("HX-Redirect")) forget(form);
  });
})();
