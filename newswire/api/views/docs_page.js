// Starts Swagger UI. In a file of its own, because the Content-Security-Policy of the page allows no inline script.
// `validatorUrl: null`: the document is sent to nobody.
window.ui = SwaggerUIBundle({
  url: "v1/openapi.json", dom_id: "#swagger-ui", deepLinking: true, displayRequestDuration: true, validatorUrl: null,
});
