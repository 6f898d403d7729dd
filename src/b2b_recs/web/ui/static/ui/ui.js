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

// A pasted address is taken apart into the fields of the connection's form. Nothing of it is sent anywhere.
(() => {
  "use strict";

  const SCHEMES = {
    postgres: "postgresql", postgresql: "postgresql", redshift: "redshift", mysql: "mysql", mariadb: "mariadb", mongodb: "mongodb",
    "mongodb+srv": "mongodb", sqlserver: "sqlserver", mssql: "sqlserver", oracle: "oracle", snowflake: "snowflake", s3: "s3", s3a: "s3",
    gs: "gcs", gcs: "gcs", sftp: "sftp", ssh: "sftp", az: "azure_blob", abfss: "azure_blob", wasbs: "azure_blob", bigquery: "bigquery",
  };
  const NAMES = {
    postgresql: "PostgreSQL", redshift: "Redshift", mysql: "MySQL", mariadb: "MariaDB", mongodb: "MongoDB", sqlserver: "SQL Server",
    oracle: "Oracle", snowflake: "Snowflake", s3: "Amazon S3", gcs: "Google Cloud Storage", sftp: "SFTP", azure_blob: "Azure Blob Storage",
    bigquery: "BigQuery",
  };
  const PAIRS = {
    server: "host", "data source": "host", address: "host", addr: "host", host: "host", hostname: "host", port: "port", database: "database",
    "initial catalog": "database", databasename: "database", dbname: "database", uid: "username", "user id": "username", user: "username",
    username: "username", pwd: "password", password: "password", sslmode: "ssl_mode", service_name: "service_name", account: "account",
    warehouse: "warehouse", role: "role", accountname: "account", accountkey: "account_key",
  };
  const decode = (text) => {
    try { return decodeURIComponent(text); } catch { return text; }
  };

  function fromPairs(text) {
    const found = {};
    const parts = text.includes(";") ? text.split(";") : text.match(/(\w+)\s*=\s*('[^']*'|\S+)/g) || [];
    for (const part of parts) {
      const cut = part.indexOf("=");
      const name = PAIRS[part.slice(0, cut).trim().toLowerCase()];
      if (cut > 0 && name) found[name] = part.slice(cut + 1).trim().replace(/^'(.*)'$/, "$1");
    }
    if (found.host) {
      const [, host, port] = /^(?:tcp:)?([^,:]+)(?:[,:](\d+))?$/.exec(found.host) || [];
      if (host) found.host = host;
      if (port) found.port = port;
    }
    return Object.keys(found).length > 1 ? { type: "", found } : null;
  }

  function fromAddress(text) {
    const oracle = /^jdbc:oracle:thin:(?:([^/@]+)\/([^@]*))?@(?:\/\/)?([^:/]+)(?::(\d+))?[/:](.+)$/i.exec(text);
    if (oracle) {
      const [, username, password, host, port, service_name] = oracle;
      return { type: "oracle", found: { username, password, host, port, service_name } };
    }
    const bare = text.replace(/^jdbc:/i, "");
    const cut = /^([a-z0-9+]+)(?:\+[a-z0-9]+)?:\/\/(.*)$/is.exec(bare);
    if (!cut) return null;
    const scheme = /^mongodb\+srv:/i.test(bare) ? "mongodb+srv" : cut[1].toLowerCase().replace(/\+.*/, "");
    const type = SCHEMES[scheme];
    if (!type) return null;
    if (type === "sqlserver" && cut[2].includes(";")) {
      const [place, ...rest] = cut[2].split(";");
      const pairs = fromPairs(`server=${place};${rest.join(";")}`);
      return { type, found: pairs ? pairs.found : {} };
    }
    const [, user, rest] = /^(?:([^/]*)@)?(.*)$/s.exec(cut[2]);
    const [, place, path, query] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest);
    const found = {};
    if (["s3", "gcs"].includes(type)) return { type, found: { bucket: place, prefix: decode(path || "").replace(/\/$/, "") } };
    if (type === "bigquery") return { type, found: { project: place, dataset: path } };
    if (user !== undefined) {
      const colon = user.indexOf(":");
      found.username = decode(colon < 0 ? user : user.slice(0, colon));
      if (colon >= 0) found.password = decode(user.slice(colon + 1));
    }
    const first = place.split(",")[0];
    const [, host, port] = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(first) || [, first];
    found.host = host.replace(/^\[|\]$/g, "");
    if (port) found.port = port;
    const name = decode(path || "").replace(/\/$/, "");
    if (name) found[{ oracle: "service_name", sftp: "folder" }[type] || "database"] = name;
    if (type === "snowflake") {
      found.account = found.host.replace(/\.snowflakecomputing\.com$/, "");
      delete found.host;
    }
    for (const [key, value] of new URLSearchParams(query || "")) {
      const field = { authsource: "auth_database", tls: "ssl_mode" }[key.toLowerCase()] || PAIRS[key.toLowerCase()];
      if (field) found[field] = field === "ssl_mode" && value === "true" ? "require" : value;
    }
    return { type, found };
  }

  // What an address can say; whatever a new one does not say goes back to what the empty form had.
  const PARTS = new Set([...Object.values(PAIRS), "auth_database", "bucket", "prefix", "project", "dataset", "folder"]);
  const fields = (form) => [...form.elements].filter((input) => PARTS.has(input.name));
  const title = (input) => (input.labels?.[0]?.firstChild?.textContent || input.name).trim().toLowerCase();

  function takes(input, value) {
    if (!(input instanceof Element) || value === undefined || value === "") return false;
    return input.tagName !== "SELECT" || [...input.options].some((option) => option.value === value);
  }

  function set(input, value) {
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function reset(input) {
    if (input.tagName === "SELECT") set(input, ([...input.options].find((option) => option.defaultSelected) || input.options[0]).value);
    else if (input.type !== "checkbox") set(input, input.type === "password" ? "" : input.defaultValue);
  }

  function fill(form, found) {
    const fitting = Object.entries(found).map(([name, value]) => [form.elements.namedItem(name), value]).filter(([input, value]) => takes(input, value));
    for (const [input, value] of fitting) set(input, value);
    return fitting.map(([input]) => input);
  }

  const listed = (inputs) => inputs.map(title).join(", ");

  function toldOf(form, filled) {
    if (!filled.length) return "Nothing in it fits these fields.";
    const rest = fields(form).filter((input) => !filled.includes(input));
    const empty = rest.filter((input) => !input.value && !("stored" in input.dataset) && (input.name === "password" || "needed" in input.dataset));
    const still = empty.length ? ` Still empty: ${listed(empty)}.` : "";
    return `Filled in: ${listed(filled)}.${still}${"saved" in form.dataset ? keptOf(rest, filled) : ""}`;
  }

  // What becomes of a stored connection's other settings.
  function keptOf(rest, filled) {
    const kept = rest.filter((input) => input.type !== "checkbox" && ("stored" in input.dataset || input.value));
    const secret = filled.filter((input) => "stored" in input.dataset);
    const replaced = secret.length ? ` The stored ${listed(secret)} ${secret.length > 1 ? "are" : "is"} replaced when you save.` : " Nothing changes before you save.";
    return `${kept.length ? ` As before: ${listed(kept)}.` : ""}${replaced}`;
  }

  // An address that names a host and no port means the usual one, also where a connection was saved with another.
  function usualPort(form, found) {
    const port = form.elements.namedItem("port");
    if (found.host && !found.port && port?.dataset.usual) found.port = port.dataset.usual;
  }

  // What cannot be taken apart stays to be mended, without what may be a password.
  const harmless = (text) => text.replace(/^([a-z0-9+.:-]*:\/\/)?.*@/is, "$1").replace(/[?;](?=.*=).*$/s, "").replace(/\b(pwd|password|\w*key|\w*token|sig)\s*=\s*('[^']*'|\S+)/gi, "$1=");

  // Takes an address apart; says whether it could.
  function take(input) {
    const form = input.form;
    const words = form.querySelector("[data-paste-words]");
    const read = fromAddress(input.value.trim()) || fromPairs(input.value.trim());
    if (!read) {
      if (input.value.trim()) words.textContent = "This is no address we can take apart. Fill in the fields below.";
      input.value = harmless(input.value);
      return false;
    }
    const alike = { postgresql: "redshift", mysql: "mariadb", mariadb: "mysql", redshift: "postgresql" };
    const mine = form.dataset.type;
    const foreign = read.type && read.type !== mine && alike[read.type] !== mine;
    input.value = "";
    if (foreign && "saved" in form.dataset) {
      words.textContent = `This is an address of ${NAMES[read.type]}, and this connection reads ${NAMES[mine]}: nothing was filled in. Make a new connection for it.`;
      return true;
    }
    // The port of another product would be wrong here, whatever else of the address may fit.
    if (foreign) delete read.found.port;
    if (Object.entries(read.found).some(([name, value]) => takes(form.elements.namedItem(name), value))) fields(form).forEach(reset);
    if ("saved" in form.dataset) usualPort(form, read.found);
    const filled = fill(form, read.found);
    const usual = filled.length && form.elements.namedItem("port") ? " The port here is the usual one of this source." : "";
    const other = foreign ? ` This is an address of ${NAMES[read.type]}: to read from it, go back and choose ${NAMES[read.type]} as the source.${usual}` : "";
    words.textContent = `${toldOf(form, filled)}${other}`;
    return true;
  }

  // An address in the field of the host goes apart like one in its own field; what cannot be taken apart shows no password.
  function takeHost(host, text) {
    const box = host.form.querySelector("[data-connection-string]");
    box.value = text;
    if (take(box)) return;
    box.value = "";
    host.value = harmless(text);
  }

  // What follows the ? of a signed address is a secret and goes into its own field.
  function takeSigned(event, input) {
    const { signature } = input.form.elements;
    const signed = /^(https:\/\/[^\s?#]+)\?([^\s#]+)$/i.exec((event.clipboardData?.getData("text") || "").trim());
    if (!signature || !signed || !/(sig|signature|token|secret|key|code|credential|auth)=/i.test(signed[2])) return;
    event.preventDefault();
    fill(input.form, { location: signed[1], signature: signed[2] });
    const hint = document.getElementById(input.getAttribute("aria-describedby"));
    if (hint) hint.textContent = "The signed part went into its own field, which is kept secret.";
  }

  document.addEventListener("paste", (event) => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement) || !input.form?.querySelector("[data-connection-string]")) return;
    if (input.matches("[data-connection-string]")) setTimeout(() => take(input), 0);
    else if (input.name === "location") takeSigned(event, input);
    else if (input.name === "host") {
      const text = event.clipboardData?.getData("text") || "";
      if (!text.includes("://") && !text.includes(";") && !fromPairs(text.trim())) return;
      event.preventDefault();
      takeHost(input, text);
    }
  });
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (input.matches?.("[data-connection-string]") && input.value) take(input);
    else if (input.name === "host" && input.value.includes("://") && input.form?.querySelector("[data-connection-string]")) takeHost(input, input.value);
  });
})();

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
      const input = form.elements.namedItem(fault.dataset.fault);
      const field = input instanceof Element ? input.closest(".field") : null;
      if (!field) continue;
      input.closest("details")?.setAttribute("open", "");
      const note = document.createElement("span");
      note.className = "field-error";
      note.id = `${input.id}-fault`;
      note.dataset.fieldFault = "";
      note.textContent = [...fault.querySelectorAll("p")].map((line) => line.textContent).join(" ");
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
      const place = document.querySelector(form.dataset.faults);
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
    document.querySelector(form.dataset.stale)?.replaceChildren();
    const field = event.target.closest(".field");
    field?.querySelector("[data-field-fault]")?.remove();
    event.target.removeAttribute("aria-invalid");
  });
})();

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

// Alpine components: small local state only.
(() => {
  "use strict";

  document.addEventListener("alpine:init", () => {
    window.Alpine.data("sideNav", () => ({
      open: false,
      toggle() { this.open = !this.open; },
      close() { this.open = false; },
    }));
    window.Alpine.data("tabs", () => ({
      chosen: "",
      init() { this.chosen = this.$el.dataset.first; },
      choose(event) { this.chosen = event.currentTarget.dataset.tab; },
      is(name) { return this.chosen === name; },
      selected(name) { return this.chosen === name ? "true" : "false"; },
      reach(name) { return this.chosen === name ? 0 : -1; },
      step(event) {
        const names = [...this.$root.querySelectorAll("[role=tab]")];
        const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!move) return;
        const next = names[(names.indexOf(event.currentTarget) + move + names.length) % names.length];
        this.chosen = next.dataset.tab;
        next.focus();
      },
    }));
  });
})();

// Log tail: follow the end unless the reader has scrolled up.
(() => {
  "use strict";

  const following = new Map();
  document.addEventListener("htmx:before:swap", () => {
    for (const log of document.querySelectorAll("[data-follow]")) {
      following.set(log.id, log.scrollTop + log.clientHeight >= log.scrollHeight - 24 ? null : log.scrollTop);
    }
  });
  function follow() {
    for (const log of document.querySelectorAll("[data-follow]")) {
      const place = following.get(log.id);
      log.scrollTop = place ?? log.scrollHeight;
    }
  }
  document.addEventListener("htmx:after:swap", follow);
  document.addEventListener("DOMContentLoaded", follow);
})();

// Small menus made of <details>: one open at a time, closed by Escape, by a click elsewhere and by choosing.
(() => {
  "use strict";

  const open = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.removeAttribute("open");
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.menu[open]");
    if (!menu) return;
    if (event.key === "Escape") {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    }
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const items = [...menu.querySelectorAll("a, button")].filter((item) => !item.disabled);
    const at = items.indexOf(document.activeElement);
    items[(at + move + items.length) % items.length]?.focus();
  });
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches?.("details.menu[open]")) return;
    for (const menu of open()) if (menu !== event.target) menu.removeAttribute("open");
  }, true);
})();

// The command palette and the few keys every page has.
(() => {
  "use strict";

  const palette = () => document.getElementById("palette");
  const input = () => document.getElementById("palette-input");

  // Enter may be pressed before the answer to the last letter has come: then the answer decides.
  let eager = false;
  function go() {
    const shown = palette().querySelector("[data-palette-query]")?.dataset.paletteQuery;
    eager = shown !== input().value;
    if (!eager) palette().querySelector(".palette-hit")?.click();
  }

  function open() {
    const dialog = palette();
    if (!dialog || dialog.open) return;
    eager = false;
    dialog.showModal();
    input().value = "";
    input().focus();
    input().dispatchEvent(new CustomEvent("palette:open", { bubbles: true }));
  }
  function typing(element) {
    return element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  }
  document.addEventListener("htmx:after:swap", () => {
    if (eager && palette()?.open) go();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open-palette]")) open();
    if (event.target.closest("[data-open-keys]")) document.getElementById("keyboard-map")?.showModal();
    if (event.target === palette() || event.target.id === "keyboard-map") event.target.close();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
      return;
    }
    const dialog = palette();
    if (dialog?.open) {
      const hits = [...dialog.querySelectorAll(".palette-hit")];
      const at = hits.indexOf(document.activeElement);
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const next = at + (event.key === "ArrowDown" ? 1 : -1);
        if (next < 0) input().focus();
        else hits[Math.min(next, hits.length - 1)]?.focus();
      } else if (event.key === "Enter" && document.activeElement === input()) {
        event.preventDefault();
        go();
      } else if (event.key.length === 1 && at >= 0 && !event.ctrlKey && !event.metaKey) {
        input().focus();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      const search = document.querySelector("main input[type=search]");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    } else if (event.key === "?") {
      event.preventDefault();
      document.getElementById("keyboard-map")?.showModal();
    }
  });
})();

// A refusal of a partial update is said, not swallowed; one that explains itself on the page (422) needs no toast.
(() => {
  "use strict";

  document.addEventListener("htmx:response:error", (event) => {
    const status = event.detail?.ctx?.response?.status;
    if (event.target.closest?.("[data-poll]") || status === 422) return;
    window.showToast("The server could not answer. Reload the page and try again.", "error");
  });
  let lost = null;
  document.addEventListener("htmx:error", (event) => {
    if (event.target.closest?.("[data-poll]")) {
      lost ??= window.showToast("The connection to the server is lost. The page goes on when it is back.", "warning", true);
    } else {
      window.showToast("The server cannot be reached. Check your network and try again.", "error");
    }
  });
  document.addEventListener("htmx:after:request", () => {
    if (lost) window.showToast("The connection to the server is back.", "success");
    lost?.remove();
    lost = null;
  });
})();

// Theme: a cookie, so that the server renders the right colours and nothing flashes.
(() => {
  "use strict";

  function setTheme(theme) {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  }
  function shownTheme() {
    const chosen = document.documentElement.dataset.theme;
    if (chosen) return chosen;
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-toggle-theme]")) setTheme(shownTheme() === "dark" ? "light" : "dark");
  });
})();

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

// Toasts. One that stays is taken away by whoever raised it; errors stay until they are dismissed.
(() => {
  "use strict";

  function toast(message, type = "info", stays = false) {
    const box = document.getElementById("toasts");
    if (!box) return null;
    const item = document.createElement("div");
    item.className = `toast toast-${type}`;
    const text = document.createElement("p");
    text.textContent = message;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn btn-icon btn-sm";
    close.setAttribute("aria-label", "Dismiss");
    close.textContent = "×";
    close.addEventListener("click", () => item.remove());
    item.append(text, close);
    box.append(item);
    if (!stays && type !== "error" && type !== "danger") setTimeout(() => item.remove(), 6000);
    return item;
  }
  window.showToast = toast;
})();
