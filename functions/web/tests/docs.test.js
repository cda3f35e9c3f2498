// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, device, origin, PASSWORD } from "./helpers.js";

for (const [size, viewport] of Object.entries({
  phone: { width: 390, height: 844 },
  desktop: { width: 1280, height: 800 },
})) {
  test(`the API's page lists every call, and tries one, on a ${size}`, { timeout: 60_000 }, async () => {
    const ann = await account("Ann Docs");
    const context = await device({ viewport, hasTouch: size === "phone", isMobile: size === "phone" });
    const page = await context.newPage();
    /** @type {string[]} */
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error.stack)));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    // The browser reports what it does not even send, too.
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol !== "data:" && url.origin !== new URL(origin).origin) errors.push(`asked ${url}`);
    });
    await page.exposeFunction("violated", (/** @type {string} */ what) => errors.push(what));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
        /** @type {any} */ (window).violated(`${violatedDirective}: ${blockedURI} ${sample}`),
      );
    });

    await page.goto(`${origin}/docs`);
    await page.locator(".opblock").first().waitFor();
    const { paths } = await (await fetch(`${origin}/openapi.json`)).json();
    const documented = Object.entries(paths).flatMap(([path, calls]) =>
      Object.keys(calls)
        .filter((method) => method !== "parameters")
        .map((method) => `${method.toUpperCase()} ${path}`),
    );
    const listed = await page.locator(".opblock").evaluateAll((blocks) =>
      blocks.map((block) => {
        const text = (/** @type {string} */ part) => block.querySelector(`.opblock-summary-${part}`)?.textContent;
        // Paths have invisible places where a line may break.
        return `${text("method")} ${text("path")?.replace(/\u200b/g, "")}`;
      }),
    );
    assert.deepEqual(listed.sort(), documented.sort());
    assert.ok(documented.length > 20, `only ${documented.length} calls`);
    // Nothing is cut off at the side.
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));

    await page.getByRole("button", { name: "Authorize" }).click();
    // The field for it has the focus.
    await page.locator("#oauth_username:focus").fill(ann.username);
    await page.locator("#oauth_password").fill(PASSWORD);
    // No client has credentials, and nothing asks for them.
    assert.equal(await page.locator("#client_id_password").isVisible(), false);
    await page.getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
    await page.getByText("Authorized", { exact: true }).waitFor();
    await page.locator(".close-modal").click();

    const me = page.locator(".opblock", { has: page.locator('[data-path="/auth/me"]') });
    await me.locator(".opblock-summary-control").click();
    await me.getByRole("button", { name: "Try it out" }).click();
    await me.getByRole("button", { name: "Execute" }).click();
    const answer = me.locator(".live-responses-table");
    await answer.waitFor();
    assert.equal(await answer.locator(".response-col_status").last().innerText(), "200");
    assert.match(await answer.locator(".response-col_description").last().innerText(), /"name": "Ann Docs"/);
    assert.deepEqual(errors, []);
  });
}

test("a call's example has no random characters in it", async () => {
  const page = await (await device()).newPage();
  await page.goto(`${origin}/docs#/Messages/sendMessage`);
  const example = JSON.parse(await page.locator(".body-param__example, .model-example pre").first().innerText());
  assert.deepEqual(Object.keys(example), ["chat_id", "client_message_id", "text"]);
  for (const text of Object.values(example)) assert.match(text, /^[\w., !?-]+$/);
});
