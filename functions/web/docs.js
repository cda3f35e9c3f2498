// @ts-check
/* global SwaggerUIBundle */

// The policy forbids styles in the page, but not rules that a script adds.
const rules = new CSSStyleSheet();
rules.replaceSync(`
  body { margin: 0; }
  /* Few answers have links, and a phone has no room for them. */
  .swagger-ui .responses-table:not(:has(.operation-link)) .response-col_links { display: none; }
  @media (max-width: 600px) {
    .swagger-ui .response-col_links { display: none; }
  }
  /* No token has a scope, or belongs to a client. */
  .swagger-ui .scope-def,
  .swagger-ui .wrapper:has(> :is([for="password_type"], [for="client_id_password"], [for="client_secret_password"])) {
    display: none;
  }
`);
document.adoptedStyleSheets.push(rules);

/**
 * Without the long patterns, which nobody can read, and which make examples of random characters. Their descriptions
 * say the same in words.
 * @param {any} value
 * @returns {any}
 */
function readable(value) {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([name, text]) => name !== "pattern" || !(String(text).length > 60));
  return Object.fromEntries(fields.map(([name, field]) => [name, readable(field)]));
}

const simpler = {
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (/** @type {(spec: any) => any} */ update) => (/** @type {any} */ spec) =>
          update(readable(spec)),
      },
    },
  },
  wrapComponents: {
    // There is one server, the page's own.
    ServersContainer: () => () => null,
    // The field for a token would take the focus from the one for a username.
    Input: (/** @type {any} */ Input, /** @type {any} */ { React }) => (/** @type {any} */ props) =>
      React.createElement(Input, { ...props, autoFocus: false }),
  },
};

// @ts-expect-error: Swagger UI's bundle has no types.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  // The list of schemas is there, but closed.
  defaultModelsExpandDepth: 0,
  plugins: [simpler],
  // The validator is somebody else's server.
  validatorUrl: null,
});
