// @ts-check
/* global SwaggerUIBundle */

// @ts-expect-error: Swagger UI's bundle has no types.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  // The validator is somebody else's server.
  validatorUrl: null,
});
