// What a pasted address, connection string or command says, as fields of a connection's form. Nothing is sent anywhere.
// window.readAddress(text) gives {type, found, told} or null: the source it belongs to where that is known, values by
// the name of the field, and sentences about what was left out.
(() => {
  "use strict";

  // Tables are asked for words of the text, and know no other than their own, such as “constructor”.
  const SCHEMES = {
    __proto__: null, postgres: "postgresql", postgresql: "postgresql", redshift: "redshift", mysql: "mysql", mariadb: "mariadb", mongodb: "mongodb",
    "mongodb+srv": "mongodb", sqlserver: "sqlserver", mssql: "sqlserver", oracle: "oracle", snowflake: "snowflake", s3: "s3", s3a: "s3",
    gs: "gcs", gcs: "gcs", sftp: "sftp", ssh: "sftp", az: "azure_blob", abfs: "azure_blob", abfss: "azure_blob", wasb: "azure_blob",
    wasbs: "azure_blob", bigquery: "bigquery",
  };
  const PAIRS = {
    __proto__: null, server: "host", "data source": "host", address: "host", addr: "host", host: "host", hostname: "host", port: "port", database: "database",
    "initial catalog": "database", databasename: "database", dbname: "database", db: "database", uid: "username", "user id": "username",
    user: "username", username: "username", pwd: "password", password: "password", sslmode: "ssl_mode", "ssl mode": "ssl_mode",
    "ssl-mode": "ssl_mode", encrypt: "ssl_mode", tls: "ssl_mode", ssl: "ssl_mode", authsource: "auth_database", service_name: "service_name",
    account: "account", warehouse: "warehouse", role: "role", accountname: "account", accountkey: "account_key",
    sharedaccesssignature: "sas_token", blobendpoint: "endpoint", schema: "schema", replicaset: "replicaSet",
    trustservercertificate: "trust", "trust server certificate": "trust", trusted_connection: "windows", "integrated security": "windows",
    integratedsecurity: "windows", instancename: "instance",
  };
  // “on” asks for encryption without saying how much is checked.
  const ENCRYPTION = {
    __proto__: null, true: "on", yes: "on", mandatory: "on", required: "require", strict: "verify-full", false: "disable", no: "disable",
    disabled: "disable", preferred: "prefer", allow: "prefer", verify_identity: "verify-full", "verify-identity": "verify-full", verifyfull: "verify-full",
  };
  // Short and long options of command-line clients. Those without a field take a word that is passed over.
  const passed = (names) => ({ __proto__: null, ...Object.fromEntries(names.split(" ").map((name) => [name, ""])) });
  const OPTIONS = {
    psql: Object.assign(passed("c f v L o F P R T command file set variable log-file output field-separator pset record-separator table-attr"), {
      h: "host", host: "host", p: "port", port: "port", U: "username", username: "username", d: "database", dbname: "database",
    }),
    mysql: Object.assign(passed("e S execute socket protocol delimiter default-character-set default-auth plugin-dir ssl-ca ssl-cert ssl-key ssl-cipher tls-version"), {
      h: "host", host: "host", P: "port", port: "port", u: "username", user: "username", D: "database", database: "database", "ssl-mode": "ssl_mode",
      p: "password", password: "password",
    }),
    sqlcmd: Object.assign(passed("Q q i o s w h l t v y Y H K m a c f"), { S: "host", U: "username", P: "password", d: "database", N: null, E: null }),
    mongosh: Object.assign(passed("f eval file authenticationMechanism tlsCAFile tlsCertificateKeyFile"), {
      host: "host", port: "port", u: "username", username: "username", p: "password", password: "password", authenticationDatabase: "auth_database",
    }),
    sftp: Object.assign(passed("i o F b B c D J l R S s X"), { P: "port" }),
  };
  const CLIENTS = {
    __proto__: null, psql: ["postgresql", OPTIONS.psql], mysql: ["mysql", OPTIONS.mysql], mariadb: ["mariadb", OPTIONS.mysql],
    sqlcmd: ["sqlserver", OPTIONS.sqlcmd], sqlplus: ["oracle", passed("C M R")], mongosh: ["mongodb", OPTIONS.mongosh],
    mongo: ["mongodb", OPTIONS.mongosh], sftp: ["sftp", OPTIONS.sftp],
  };
  const VARIABLES = {
    __proto__: null, PGHOST: "host", PGPORT: "port", PGUSER: "username", PGPASSWORD: "password", PGDATABASE: "database", PGSSLMODE: "ssl_mode", MYSQL_PWD: "password",
  };
  const SRV = "An address with +srv is found by a look-up that is not made here. Host and port are still needed: in Atlas choose Connect, Drivers and the oldest "
    + "version of a driver, which shows an address that begins with mongodb:// and names the members; one of them goes into Host.";

  const decode = (text) => {
    try { return decodeURIComponent(text); } catch { return text; }
  };
  const unquoted = (text) => text.replace(/^(["'`])(.*)\1$/s, "$2").trim();
  const encryption = (value) => ENCRYPTION[value.toLowerCase()] ?? value.toLowerCase();

  function put(found, name, value) {
    found[name] = name === "ssl_mode" ? encryption(value) : value;
  }

  // “host:port” or “host,port”; of several hosts the first.
  function place(found, text, told) {
    const hosts = text.replace(/^(tcp|ssl|mysqlx):/i, "").split(/,(?!\d+$)/);
    const [, host, port] = /^(\[[^\]]+\]|[^:,]*)(?:[:,](\d+))?$/.exec(hosts[0].trim()) || [, hosts[0]];
    const [name, instance] = host.replace(/^\[|\]$/g, "").split("\\");
    found.host = name;
    if (instance) found.instance = instance;
    if (port) found.port = port;
    if (hosts.length > 1) told.push(`A connection has one host: the first was taken, and ${hosts.slice(1).map((one) => one.trim()).join(", ")} left out.`);
  }

  // What clients of SQL Server say and no field holds: as the encryption it means, or told.
  function settle(found, told) {
    const { trust, windows, instance } = found;
    for (const name of ["trust", "windows", "instance"]) delete found[name];
    if (trust && [undefined, "on"].includes(found.ssl_mode)) found.ssl_mode = encryption(trust) === "on" ? "require" : "verify-full";
    if (instance && !found.port) told.push(`The instance ${instance} is not looked up: its own port is needed in the field Port.`);
    if (windows && (encryption(windows) === "on" || /^sspi$/i.test(windows))) told.push("A Windows login cannot be used here: a user with its own password is needed.");
  }

  // name=value, as libpq writes them (blanks between, \ before a quote) or as ODBC and ADO do (semicolons, quotes doubled).
  function pairsOf(text) {
    const bare = text.replace(/'(?:[^'\\]|\\.)*'|"[^"]*"|\{[^}]*\}/g, "");
    const semicolons = bare.includes(";");
    const shape = semicolons ? /\s*([^=;]+?)\s*=\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|\{[^}]*\}|[^;]*?)\s*(?:;|$)/g : /([\w-]+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)+)/g;
    return [...text.matchAll(shape)].map(([, name, value]) => {
      if (!semicolons) return [name, value.replace(/^'(.*)'$/s, "$1").replace(/\\(.)/gs, "$1")];
      if (/^".*"$/s.test(value)) return [name, value.slice(1, -1).replaceAll('""', '"')];
      if (/^'.*'$/s.test(value)) return [name, value.slice(1, -1).replaceAll("''", "'")];
      return [name, value.replace(/^\{(.*)\}$/s, "$1")];
    });
  }

  function fromPairs(text) {
    const found = {};
    const told = [];
    for (const [name, value] of pairsOf(text)) {
      const field = PAIRS[name.trim().toLowerCase()];
      if (field && value) put(found, field, value);
    }
    if (found.host) place(found, found.host, told);
    const several = Object.keys(found).length > 1;
    settle(found, told);
    const azure = found.account_key || found.sas_token;
    if (azure && found.endpoint) {
      const account = /^https:\/\/([a-z0-9]+)\.blob\.core\.windows\.net\/?$/i.exec(found.endpoint);
      if (account) found.account ??= account[1];
      if (account) delete found.endpoint;
    }
    return several && Object.keys(found).length ? { type: azure ? "azure_blob" : "", found, told } : null;
  }

  // user/password@//host:port/service, and what jdbc:oracle:thin: puts before it.
  function fromOracle(text) {
    const bare = text.replace(/^jdbc:oracle:(thin|oci):/i, "");
    const named = bare !== text;
    const [, username, password, rest] = /^(?:([^\s/@:]+)\/(.*))?@(?!.*@)(.+)$/s.exec(bare) || [];
    if (!rest || (!named && !username)) return null;
    const found = { username, password: password && unquoted(password) };
    const told = [];
    if (/^\(\s*DESCRIPTION/i.test(rest)) {
      const said = (name) => [...rest.matchAll(new RegExp(`\\(\\s*${name}\\s*=\\s*([^()\\s]+)\\s*\\)`, "gi"))].map((one) => one[1]);
      [found.host] = said("HOST");
      [found.port] = said("PORT");
      [found.service_name] = said("SERVICE_NAME");
      const [matched = ""] = said("SSL_SERVER_DN_MATCH");
      if (/^tcps$/i.test(said("PROTOCOL")[0])) found.ssl_mode = encryption(matched) === "on" ? "verify-full" : "on";
      if (said("HOST").length > 1) told.push(`A connection has one host: the first was taken, and ${said("HOST").slice(1).join(", ")} left out.`);
      return { type: "oracle", found, told };
    }
    const parts = /^(?:tcps?:)?(?:\/\/)?([^:/\s]+)(?::(\d+))?([/:])([\w$#.-]+)(?:[?:].*)?$/i.exec(rest);
    if (!parts) return null;
    [, found.host, found.port, , found.service_name] = parts;
    if (/^tcps:/i.test(rest)) found.ssl_mode = "on";
    if (parts[3] === ":") told.push("What follows the second colon is a SID; when the test does not know it, ask for the service name.");
    return { type: "oracle", found, told };
  }

  // Addresses of stores as the consoles of their clouds show them.
  function fromHttps(text) {
    let address;
    try { address = new URL(text); } catch { return null; }
    const host = address.hostname;
    const [first = "", ...below] = decode(address.pathname).replace(/^\/+|\/+$/g, "").split("/");
    const whole = [first, ...below].filter(Boolean).join("/");
    const told = [];
    const signed = address.search.slice(1);
    const azure = /^([a-z0-9]+)\.(?:blob|dfs)\.core\.windows\.net$/.exec(host);
    if (azure) {
      const found = { account: azure[1], container: first, prefix: below.join("/") };
      if (/(^|&)sig=/.test(signed)) found.sas_token = signed;
      if (/(^|&)sr=b(&|$)/.test(signed)) told.push("This signature opens one file: to list files, one for the container is needed.");
      return { type: "azure_blob", found, told };
    }
    if (signed) told.push("What follows the ? opens one file for a while and is not used here.");
    const s3 = /^(?:(.+)\.)?s3(?:\.dualstack)?(?:[.-]([a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com(?:\.cn)?$/.exec(host);
    if (s3) {
      const [, bucket, region = "us-east-1"] = s3;
      return { type: "s3", found: bucket ? { bucket, region, prefix: whole } : { bucket: first, region, prefix: below.join("/") }, told };
    }
    const google = /^(?:(.+)\.)?storage\.(?:googleapis|cloud\.google)\.com$/.exec(host);
    if (google) return { type: "gcs", found: google[1] ? { bucket: google[1], prefix: whole } : { bucket: first, prefix: below.join("/") }, told };
    const snowflake = /^(.+)\.snowflakecomputing\.com$/.exec(host);
    if (snowflake) return { type: "snowflake", found: { account: snowflake[1] }, told: [] };
    return null;
  }

  // user:password@ before the last @ of the part that names the server; a password may hold any sign.
  function parted(text) {
    const [, place, path = "", query = ""] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(text) || [];
    const cut = place.lastIndexOf("@");
    if (cut >= 0) return { user: place.slice(0, cut), hosts: place.slice(cut + 1), path, query };
    // A host is never followed by a colon and anything but its port.
    const late = (/^[^:,]*:(?!\d*(,|$))/.test(place) ? text : text.split("?")[0]).lastIndexOf("@");
    if (late >= 0 && /:(?!\d*$)/.test(place)) {
      const [, hosts, under = "", asked = ""] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(text.slice(late + 1));
      return { user: text.slice(0, late), hosts, path: under, query: asked };
    }
    return { user: undefined, hosts: place, path, query };
  }

  function fromStore(type, scheme, { user, hosts, path }) {
    const prefix = decode(path).replace(/\/$/, "");
    if (type === "bigquery") return { type, found: { project: hosts, dataset: path.replace(/\/.*$/, "") }, told: [] };
    if (type !== "azure_blob") return { type, found: { bucket: hosts, prefix }, told: [] };
    if (scheme === "az") return { type, found: { container: hosts, prefix }, told: [] };
    return { type, found: { account: hosts.replace(/\..*$/, ""), container: user, prefix }, told: [] };
  }

  function fromQuery(found, query, told) {
    const unused = [];
    for (const [key, value] of new URLSearchParams(query)) {
      const field = PAIRS[key.toLowerCase()];
      if (key.toLowerCase() === "replicaset") told.push("The set of replicas is not asked who leads it: the host in the field is read.");
      else if (field && value) put(found, field, value);
      else unused.push(key);
    }
    if (unused.length) told.push(`Not used here: ${unused.join(", ")}.`);
  }

  function fromAddress(text) {
    const bare = text.replace(/^jdbc:/i, "");
    const [, written, rest] = /^([a-z0-9+]+):\/\/(.*)$/is.exec(bare) || [];
    if (!written) return null;
    if (/^https?$/i.test(written)) return fromHttps(bare);
    const scheme = /^mongodb\+srv$/i.test(written) ? "mongodb+srv" : written.toLowerCase().replace(/\+.*/, "");
    const type = SCHEMES[scheme];
    if (!type) return null;
    if (type === "sqlserver" && rest.includes(";")) {
      const [first, ...more] = rest.split(";");
      const pairs = fromPairs(`server=${first};${more.join(";")}`);
      return { type, found: pairs?.found ?? {}, told: pairs?.told ?? [] };
    }
    const parts = parted(rest);
    if (["s3", "gcs", "bigquery", "azure_blob"].includes(type)) return fromStore(type, scheme, parts);
    return fromServer(type, scheme, parts);
  }

  function fromServer(type, scheme, { user, hosts, path, query }) {
    const found = {};
    const told = [];
    if (user !== undefined) {
      const colon = user.indexOf(":");
      found.username = decode(colon < 0 ? user : user.slice(0, colon));
      if (colon >= 0) found.password = decode(user.slice(colon + 1));
    }
    place(found, hosts, told);
    const name = decode(path).replace(/\/$/, "");
    if (name) found[{ oracle: "service_name", sftp: "folder" }[type] || "database"] = name;
    if (type === "snowflake") {
      found.account = found.host.replace(/\.snowflakecomputing\.com$/, "");
      delete found.host;
      [found.database = "", found.schema] = name.split("/");
    }
    fromQuery(found, query, told);
    settle(found, told);
    if (type === "snowflake" && found.schema) told.push(`The schema ${found.schema} is chosen with a table, in the job.`);
    if (type === "snowflake") delete found.schema;
    if (scheme === "mongodb+srv") {
      delete found.host;
      delete found.port;
      told.unshift(SRV);
    }
    return { type, found, told };
  }

  // The words of a command line, quotes taken off.
  function wordsOf(text) {
    const words = text.replace(/\\\r?\n/g, " ").match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/g) || [];
    return words.map((word) => word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs, (_, double, single, one) => single ?? one ?? double.replace(/\\(["\\$`])/g, "$1")));
  }

  // user@host:folder at the end of the line.
  function fromSftp(found, written = "") {
    const [, username, host, folder] = /^(?:([^@]+)@)?([^:]+)(?::(.+))?$/.exec(written) || [];
    return host ? { type: "sftp", found: { ...found, username, host, folder }, told: [] } : null;
  }

  // Name and value of an option; flags may stand before a short one, as in -Atc.
  function optionOf(word, options) {
    const [, long, value] = /^--([\w-]+)(?:=(.*))?$/s.exec(word) || [];
    if (long) return [long, value];
    let [, short = ""] = /^-(\w.*)$/s.exec(word) || [];
    while (short.length > 1 && !(short[0] in options)) short = short.slice(1);
    return [short[0], short.slice(1)];
  }

  function fromCommand(text) {
    // What stands before an instance or after a domain of Windows hides no sign.
    const words = wordsOf(text.replace(/^\$\s+/, "").replace(/^sqlcmd\b.*$/s, (line) => line.replace(/\b\\\b/g, "\\\\")));
    const found = {};
    let at = 0;
    while (/^[A-Z_]+=/.test(words[at] || "")) {
      const [name, value] = words[at++].split(/=(.*)/s);
      if (VARIABLES[name]) put(found, VARIABLES[name], value);
    }
    const [type, options] = CLIENTS[(words[at++] || "").replace(/^.*\//, "")] || [];
    if (!type) return null;
    const loose = [];
    for (; at < words.length; at++) {
      const [name, given] = optionOf(words[at], options);
      if (!name) loose.push(words[at]);
      else if (options[name] === null) { if (name === "E") found.windows = "yes"; } else if (name in options) {
        // A password of mysql stands in the same word or is asked for.
        const word = given || (options === OPTIONS.mysql && options[name] === "password" ? "" : words[++at]) || "";
        if (options[name]) put(found, options[name], word);
      }
    }
    const whole = [found.database, ...loose].find((word) => word && /:\/\/|=|@/.test(word));
    const read = whole && (fromOracle(whole) || fromAddress(whole) || fromPairs(whole));
    if (read) {
      if (whole === found.database) delete found.database;
      return { ...read, type: read.type || type, found: { ...found, ...read.found } };
    }
    if (type === "sftp") return fromSftp(found, loose.at(-1));
    if (loose[0] && !found.database) found.database = loose[0];
    if (loose[1] && type === "postgresql" && !found.username) found.username = loose[1];
    const told = [];
    if (found.host) place(found, found.host, told);
    settle(found, told);
    return Object.keys(found).length ? { type, found, told } : null;
  }

  window.readAddress = (pasted) => {
    let text = unquoted(pasted.trim().replace(/;$/, ""));
    // DATABASE_URL=…, also with export before it or as YAML writes it.
    const [, assigned] = /^(?:export\s+|set\s+|\$env:)?[A-Z][A-Z0-9_]*\s*[=:]\s*(.+)$/s.exec(text) || [];
    if (assigned && /^["'`]?[a-z0-9+]+:[a-z/]/.test(assigned)) text = unquoted(assigned);
    return fromCommand(text) || (text.includes("://") && !/^jdbc:oracle/i.test(text) ? fromAddress(text) : null) || fromOracle(text) || fromPairs(text);
  };
})();

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

// A refusal of a partial update is said, and what is on the page stays; one that explains itself on the page (422) needs
// no toast. An answer takes away what was said about the same address before.
(() => {
  "use strict";

  const NETWORK = "network";
  const about = (ctx) => String(ctx?.request?.action ?? "").split("?")[0];

  let signedOut = null;  // what asks by itself says it once

  function signIn(byItself) {
    if (byItself && signedOut) return;
    const next = encodeURIComponent(location.pathname + location.search);
    signedOut = window.showToast("You are signed out. What is on this page stays here until you leave it.", "error", {
      about: "signed out", link: { href: `/accounts/login/?next=${next}`, words: "Sign in" },
    });
  }

  // The server's own words, from the page it answers with.
  function wordsOf(text) {
    const page = new DOMParser().parseFromString(text || "", "text/html");
    return page.querySelector("h1 + p")?.textContent.trim() || "The server could not answer. Reload the page and try again.";
  }

  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail ?? {};
    const status = ctx?.response?.status;
    if (status === 422) return;
    if (ctx) ctx.swap = "none";
    const polled = Boolean(event.target.closest?.("[data-poll]"));
    if (status === 401) signIn(polled);
    else if (!polled) window.showToast(wordsOf(ctx?.text), "error", { about: about(ctx) });
  });
  let lost = null;
  document.addEventListener("htmx:error", (event) => {
    if (event.target.closest?.("[data-poll]")) {
      lost ??= window.showToast("The connection to the server is lost. The page goes on when it is back.", "warning", { stays: true });
    } else {
      window.showToast("The server cannot be reached. Check your network and try again.", "error", { about: NETWORK });
    }
  });
  document.addEventListener("htmx:after:request", (event) => {
    window.forgetToasts(NETWORK);
    if ((event.detail?.ctx?.response?.status ?? 500) < 400) window.forgetToasts(about(event.detail.ctx));
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

// Toasts. One that stays is taken away by whoever raised it; errors stay until they are dismissed, or until something
// newer is said about the same thing: window.showToast(words, type, {stays, about, link: {href, words}}).
(() => {
  "use strict";

  const shown = (box) => [...box.querySelectorAll(".toast")];
  const told = (item) => item.querySelector("p").textContent;

  function toast(message, type = "info", { stays = false, about = "", link = null } = {}) {
    const box = document.getElementById("toasts");
    if (!box) return null;
    const alike = shown(box).find((item) => told(item) === message && item.classList.contains("toast-error"));
    if (alike && type === "error") return alike;
    if (about) window.forgetToasts(about);
    const item = document.createElement("div");
    item.className = `toast toast-${type}`;
    item.setAttribute("data-about", about);
    const text = document.createElement("p");
    text.textContent = message;
    item.append(text);
    if (link) {
      const way = document.createElement("a");
      way.className = "btn btn-sm";
      way.href = link.href;
      way.textContent = link.words;
      item.append(way);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn btn-icon btn-sm";
    close.setAttribute("aria-label", "Dismiss");
    close.textContent = "×";
    close.addEventListener("click", () => item.remove());
    item.append(close);
    box.append(item);
    if (!stays && type !== "error" && type !== "danger") setTimeout(() => item.remove(), 6000);
    return item;
  }
  window.showToast = toast;
  // What was said about something no longer holds.
  window.forgetToasts = (about) => {
    const box = document.getElementById("toasts");
    for (const item of box ? shown(box) : []) if (item.getAttribute("data-about") === about) item.remove();
  };
})();
