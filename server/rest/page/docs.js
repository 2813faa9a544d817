"use strict";

// Draws the OpenAPI document of this server. Texts are only ever set as texts.

function element(name, text, children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  for (const child of children || []) made.append(child);
  return made;
}

// What stands between backticks is code.
function prose(name, text) {
  const parts = text.split(/`([^`]*)`/).map((part, place) => (place % 2 ? element("code", part) : part));
  return element(name, "", parts);
}

function resolve(api, part) {
  if (!part || !part.$ref) return part;
  const [kind, key] = part.$ref.split("/").slice(-2);
  return api.components[kind][key];
}

function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (schema.type === "array") return `${typeOf(schema.items) || "any"}[]`;
  return schema.format || schema.type || "any JSON";
}

function table(rows) {
  const body = rows.map(([name, type, about]) => {
    return element("tr", "", [element("td", "", [element("code", name)]), element("td", type), prose("td", about)]);
  });
  return element("table", "", [element("tbody", "", body)]);
}

function members(api, schema) {
  const shape = resolve(api, schema) || {};
  const required = new Set(shape.required || []);
  return Object.entries(shape.properties || {}).map(([name, part]) => {
    return [name + (required.has(name) ? " *" : ""), typeOf(part), (resolve(api, part) || {}).description || ""];
  });
}

// Those that answers of many operations have, which are shown once, or those of this one alone.
function headers(api, response, shared) {
  return Object.entries(response.headers || {})
    .filter(([, part]) => Boolean(part.$ref) === shared)
    .map(([name, part]) => {
      const header = resolve(api, part);
      return [name + (header.required ? " *" : ""), "header", header.description];
    });
}

function ofAnyAnswer(api) {
  const found = new Map();
  for (const methods of Object.values(api.paths))
    for (const operation of Object.values(methods))
      for (const response of Object.values(operation.responses))
        for (const row of headers(api, response, true)) found.set(row[0], row);
  const made = element("section", "", [element("h4", "Headers that any answer may have"), table([...found.values()])]);
  return Object.assign(made, { id: "headers" });
}

function contentOf(part) {
  const [media, content] = Object.entries((part && part.content) || {})[0] || [];
  return media ? { media, schema: content.schema } : null;
}

function section(api, path, method, operation) {
  const made = element("section");
  made.id = operation.operationId;
  made.append(element("h3", "", [Object.assign(element("span", method.toUpperCase()), { className: "method" }), path]));
  made.append(prose("p", operation.summary));
  if (operation.description) made.append(prose("p", operation.description));
  const parameters = operation.parameters.map((one) => {
    const about = one.description || one.schema.description || "";
    return [one.name + (one.required ? " *" : ""), `${one.in}, ${typeOf(one.schema)}`, about];
  });
  if (parameters.length) made.append(element("h4", "Parameters"), table(parameters));
  const body = contentOf(operation.requestBody);
  if (body) made.append(element("h4", `Body (${typeOf(body.schema)})`), table(members(api, body.schema)));
  for (const [status, response] of Object.entries(operation.responses)) {
    const answer = contentOf(response);
    made.append(element("h4", `${status} ${response.description}${answer ? ` (${typeOf(answer.schema)}, ${answer.media})` : ""}`));
    const rows = [...(answer && status !== "default" ? members(api, answer.schema) : []), ...headers(api, response, false)];
    if (rows.length) made.append(table(rows));
  }
  return made;
}

function draw(api) {
  document.getElementById("version").textContent = api.info.version;
  document.getElementById("about").replaceChildren(prose("span", api.info.description));
  const contents = document.getElementById("contents");
  const operations = document.getElementById("operations");
  operations.replaceChildren(ofAnyAnswer(api));
  for (const tag of api.tags) {
    contents.append(element("h2", tag.name));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (!operation.tags.includes(tag.name)) continue;
        contents.append(Object.assign(prose("a", operation.summary), { href: `#${operation.operationId}` }));
        operations.append(section(api, path, method, operation));
      }
    }
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch("/openapi.json")
  .then((response) => response.json())
  .then(draw)
  .catch((error) => document.getElementById("operations").replaceChildren(element("p", `The document cannot be read: ${error}`)));
