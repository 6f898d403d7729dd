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
