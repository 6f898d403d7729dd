// A pasted address is taken apart into the fields of the connection's form. Nothing of it is sent anywhere.
(() => {
  "use strict";

  const NAMES = {
    postgresql: "PostgreSQL", redshift: "Redshift", mysql: "MySQL", mariadb: "MariaDB", mongodb: "MongoDB", sqlserver: "SQL Server",
    oracle: "Oracle", snowflake: "Snowflake", s3: "Amazon S3", gcs: "Google Cloud Storage", sftp: "SFTP", azure_blob: "Azure Blob Storage",
    bigquery: "BigQuery",
  };
  // What an address can say; whatever a new one does not say goes back to what the empty form had.
  const PARTS = new Set([
    "host", "port", "database", "username", "password", "ssl_mode", "service_name", "account", "warehouse", "role", "account_key", "sas_token",
    "auth_database", "bucket", "container", "region", "prefix", "project", "dataset", "folder",
  ]);
  const fields = (form) => window.formFields(form).filter((input) => PARTS.has(input.name));
  const title = (input) => (input.labels?.[0]?.firstChild?.textContent || input.name).trim().toLowerCase();

  function takes(input, value) {
    if (!input || value === undefined || value === "") return false;
    return input.tagName !== "SELECT" || value === "on" || [...input.options].some((option) => option.value === value);
  }

  // Encryption that is only asked for does not take back a check of the certificate.
  function set(input, value) {
    if (value !== "on") input.value = value;
    else if (!["require", "verify-full"].includes(input.value)) input.value = "require";
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function reset(input) {
    if (input.tagName === "SELECT") set(input, ([...input.options].find((option) => option.defaultSelected) || input.options[0]).value);
    else if (input.type !== "checkbox") set(input, input.type === "password" ? "" : input.defaultValue);
  }

  function fill(form, found) {
    const fitting = Object.entries(found).map(([name, value]) => [window.formField(form, name), value]).filter(([input, value]) => takes(input, value));
    for (const [input, value] of fitting) set(input, value);
    return fitting.map(([input]) => input);
  }

  const listed = (inputs) => inputs.map(title).join(", ");

  function toldOf(form, filled) {
    if (!filled.length) return "Nothing in it fits these fields.";
    const rest = fields(form).filter((input) => !filled.includes(input));
    const empty = rest.filter((input) => !input.value && !("stored" in input.dataset) && (input.name === "password" || "needed" in input.dataset));
    const still = empty.length ? ` Still empty: ${listed(empty)}.` : "";
    return `Filled in: ${listed(filled)}.${still}${form.hasAttribute("data-saved") ? keptOf(rest, filled) : ""}`;
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
    const port = window.formField(form, "port");
    if (found.host && !found.port && port?.dataset.usual) found.port = port.dataset.usual;
  }

  // What cannot be taken apart stays to be mended, without what may be a password.
  const harmless = (text) => text.replace(/^([a-z0-9+.:-]*:\/\/)?.*@/is, "$1").replace(/[?;](?=.*=).*$/s, "").replace(/((?:pwd|password|\w*key|\w*token|sig)\s*=\s*)("[^"]*"|'[^']*'|\S+)/gi, "$1");

  // Takes an address apart; says whether it could.
  function take(input) {
    const { form } = input;
    const words = form.querySelector("[data-paste-words]");
    const read = window.readAddress(input.value);
    if (!read) {
      if (input.value.trim()) words.textContent = "This is no address we can take apart. Fill in the fields below.";
      input.value = harmless(input.value);
      return false;
    }
    const alike = { postgresql: "redshift", mysql: "mariadb", mariadb: "mysql", redshift: "postgresql" };
    const mine = form.getAttribute("data-type");
    const saved = form.hasAttribute("data-saved");
    const foreign = read.type && read.type !== mine && alike[read.type] !== mine;
    input.value = "";
    if (foreign && saved) {
      words.textContent = `This is an address of ${NAMES[read.type]}, and this connection reads ${NAMES[mine]}: nothing was filled in. Make a new connection for it.`;
      return true;
    }
    // The port of another product would be wrong here, whatever else of the address may fit.
    if (foreign) delete read.found.port;
    if (Object.entries(read.found).some(([name, value]) => takes(window.formField(form, name), value))) fields(form).forEach(reset);
    if (saved) usualPort(form, read.found);
    const filled = fill(form, read.found);
    const usual = filled.length && window.formField(form, "port") ? " The port here is the usual one of this source." : "";
    const other = foreign ? [`This is an address of ${NAMES[read.type]}: to read from it, go back and choose ${NAMES[read.type]} as the source.${usual}`] : [...read.told, ...left(form, read.found)];
    words.textContent = [toldOf(form, filled), ...other].join(" ");
    return true;
  }

  // What the address says and no field takes.
  function left(form, found) {
    const names = Object.entries(found).filter(([name, value]) => value && !takes(window.formField(form, name), value)).map(([name]) => name.replaceAll("_", " "));
    return names.length ? [`No field here takes: ${names.join(", ")}.`] : [];
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
    const signature = window.formField(input.form, "signature");
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
      if (!text.includes("://") && !text.includes(";") && !window.readAddress(text)) return;
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
