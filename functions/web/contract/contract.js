// @ts-check
// Writes client/contract.d.ts: the types of all that goes over the wire, out of the two documents by which a messenger
// describes itself. With --check, says only whether the file is what would be written, and whether the socket's
// document is valid.
//
//   WINDI_URL=http://localhost:3000 npm run contract [-- --check]

import { readFile, writeFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { Parser } from "@asyncapi/parser";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const HEAD = `// What goes over the wire, written by \`npm run contract\` out of a messenger's /openapi.json and /asyncapi.json.
// Do not edit it.

`;
const origin = (process.env["WINDI_URL"] ?? "http://localhost:3000").replace(/\/$/, "");
const target = new URL("../client/contract.d.ts", import.meta.url);

/** @param {string} path @returns {Promise<any>} */
async function read(path) {
  const response = await fetch(origin + path).catch((cause) => {
    throw new Error(`no messenger answers at ${origin}`, { cause });
  });
  if (!response.ok) throw new Error(`${origin}${path} answers ${response.status}`);
  return response.json();
}

/** The schemas of both documents in one, and those of frames and actions. @param {any} openapi @param {any} asyncapi */
function schemas(openapi, asyncapi) {
  /** @type {Record<string, any>} */
  const all = { ...openapi.components.schemas };
  /** @param {string} name @param {any} schema */
  const add = (name, schema) => {
    if (name in all && !isDeepStrictEqual(all[name], schema)) throw new Error(`two schemas have the name ${name}`);
    all[name] = schema;
  };
  for (const [name, schema] of Object.entries(asyncapi.components.schemas)) add(name, schema);

  /** @param {'send' | 'receive'} way as the server sees it */
  const payloads = (way) =>
    Object.values(asyncapi.operations)
      .filter(({ action }) => action === way)
      .flatMap(({ messages }) => messages)
      .map(({ $ref }) => asyncapi.components.messages[$ref.split("/").at(-1)].payload);
  add("Frame", { description: "What the server sends over the socket.", oneOf: payloads("send") });
  add("Action", { description: "What a client sends over the socket.", oneOf: payloads("receive") });

  const bodies = Object.values(openapi.paths)
    .flatMap((path) => Object.values(path))
    .map((call) => call.requestBody?.content["application/json"]?.schema.$ref)
    .filter((reference) => reference !== undefined);
  const references = [...new Set(bodies)].sort().map((reference) => ({ $ref: reference }));
  add("RequestBody", { description: "What a client sends over HTTP.", oneOf: references });

  const codes = all["ErrorCode"]["x-extensible-enum"];
  all["ErrorCode"] = { description: "The codes of errors; there may be more with time.", enum: codes };
  const names = Object.keys(all).sort((a, b) => (a < b ? -1 : 1));
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}

/** What the tool calls `components["schemas"]["Chat"]` becomes `Chat`. @param {ts.Node} node @returns {ts.Node} */
function shorten(node) {
  if (ts.isIndexedAccessTypeNode(node) && ts.isIndexedAccessTypeNode(node.objectType)) {
    const { indexType } = node;
    if (ts.isLiteralTypeNode(indexType) && ts.isStringLiteral(indexType.literal)) {
      return ts.factory.createTypeReferenceNode(indexType.literal.text);
    }
  }
  return ts.visitEachChild(node, shorten, undefined);
}

/** One type for each schema, and nothing else of what the tool writes. @param {any} document */
async function types(document) {
  const nodes = await openapiTS(document);
  const components = nodes.filter(ts.isInterfaceDeclaration).find(({ name }) => name.text === "components");
  const schemas = components?.members.find(({ name }) => name && ts.isIdentifier(name) && name.text === "schemas");
  if (!schemas || !ts.isPropertySignature(schemas) || !schemas.type || !ts.isTypeLiteralNode(schemas.type)) {
    throw new Error("openapi-typescript has written something else than it used to");
  }
  return schemas.type.members.filter(ts.isPropertySignature).map((schema) => {
    const type = /** @type {ts.TypeNode} */ (shorten(/** @type {ts.TypeNode} */ (schema.type)));
    const name = /** @type {ts.Identifier} */ (schema.name).text;
    const exported = [ts.factory.createModifier(ts.SyntaxKind.ExportKeyword)];
    const alias = ts.factory.createTypeAliasDeclaration(exported, name, undefined, type);
    return ts.setSyntheticLeadingComments(alias, ts.getSyntheticLeadingComments(schema));
  });
}

/** Indented as everything here, and without what the types say themselves. @param {string} text */
function tidy(text) {
  return text
    .replace(/^ *\/\*\* (@enum|Format:).* \*\/\n/gm, "")
    .replace(/^ *\* (@enum|Format:).*\n/gm, "")
    .replace(/@description /g, "")
    .replace(/^( *)\/\*\*\n *\* (.*)\n *\*\/$/gm, "$1/** $2 */")
    .replace(/^( *\*) {5}/gm, "$1 ")
    .replace(/^export type .{110,};$/gm, (type) => type.replace(" = ", " =\n    | ").replaceAll('" | "', '"\n    | "'))
    .replace(/^( {4})+/gm, (spaces) => " ".repeat(spaces.length / 2));
}

const asyncapi = await read("/asyncapi.json");
const components = { schemas: schemas(await read("/openapi.json"), asyncapi) };
const document = { openapi: "3.1.0", info: { title: "", version: "" }, components };
const declarations = (await types(document)).map((node) => tidy(astToString(node)));
const wanted = HEAD + declarations.join("\n");

if (!process.argv.includes("--check")) {
  await writeFile(target, wanted);
  process.exit();
}
const { document: valid, diagnostics } = await new Parser().parse(asyncapi);
if (!valid) {
  console.error("asyncapi.json is not valid:", diagnostics);
  process.exitCode = 1;
}
if ((await readFile(target, "utf8").catch(() => "")) !== wanted) {
  console.error("client/contract.d.ts is not what this messenger says: run `npm run contract`, then `npm run check`");
  process.exitCode = 1;
}
