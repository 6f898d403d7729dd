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
