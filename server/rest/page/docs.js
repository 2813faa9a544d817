"use strict";

// Draws the OpenAPI document of this server. Texts are only ever set as texts.

function element(name, text, children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  for (const child of children || []) made.append(child);
  return made;
}

function resolve(api, schema) {
  return schema && schema.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema;
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
    return element("tr", "", [element("td", "", [element("code", name)]), element("td", type), element("td", about)]);
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

function contentOf(part) {
  const [media, content] = Object.entries((part && part.content) || {})[0] || [];
  return media ? { media, schema: content.schema } : null;
}

function section(api, path, method, operation) {
  const made = element("section");
  made.id = operation.operationId;
  made.append(element("h3", "", [Object.assign(element("span", method.toUpperCase()), { className: "method" }), path]));
  made.append(element("p", operation.summary));
  if (operation.description) made.append(element("p", operation.description));
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
    if (answer && status !== "default" && members(api, answer.schema).length) made.append(table(members(api, answer.schema)));
  }
  return made;
}

function draw(api) {
  document.getElementById("version").textContent = api.info.version;
  document.getElementById("about").textContent = api.info.description;
  const contents = document.getElementById("contents");
  const operations = document.getElementById("operations");
  operations.replaceChildren();
  for (const tag of api.tags) {
    contents.append(element("h2", tag.name));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (!operation.tags.includes(tag.name)) continue;
        contents.append(Object.assign(element("a", operation.summary), { href: `#${operation.operationId}` }));
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
