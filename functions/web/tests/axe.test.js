// @ts-check
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { account, call, device, enter, goOffline, group, open, openChat, send } from "./helpers.js";
import { attach, chosen, loaded, png, upload, uploadPicture } from "./pictures.js";

/** @import {Page} from "playwright-core" */

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };

/** @param {Page} page @param {string} screen */
async function check(page, screen) {
  // Violations of contrast are not looked for in what is still fading.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  await page.evaluate(`${axe};0`);
  const violations = await page.evaluate(
    (levels) => /** @type {any} */ (window).axe.run(document, { runOnly: { type: "tag", values: levels } }),
    LEVELS,
  );
  const found = violations.violations.map((/** @type {any} */ { id, nodes }) => `${id}: ${nodes[0]?.html}`);
  assert.deepEqual(found, [], screen);
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of /** @type {Array<'light' | 'dark'>} */ (["light", "dark"])) {
    test(`every screen is accessible on a ${size} in ${colorScheme}`, { timeout: 120_000 }, async () => {
      const phone = size === "phone";
      const options = { viewport, colorScheme, hasTouch: phone, isMobile: phone };
      const [ann, ben, cy] = [await account("Ann"), await account("Ben"), await account("Cy")];
      const chat = await group("Group", [ann, ben, cy]);
      for (const text of ["one", "two https://example.com", "three"]) await send(ben.token, chat, text);
      await call("PATCH", `/messages/${chat}/1`, ben.token, { text: "changed" });
      await call("DELETE", `/messages/${chat}/3`, ben.token);
      await call("POST", "/chats", ben.token, { kind: "private", user_id: ann.id });
      const file_ids = [
        await uploadPicture(ben.token, 300, 200),
        await upload(ben.token, "a.txt", "text/plain", Buffer.from("a")),
      ];
      await call("POST", "/messages", ben.token, { chat_id: chat, file_ids });

      const entry = await open(await device(options));
      await check(entry, "log in");
      await entry.getByRole("button", { name: "Create an account" }).click();
      await entry.getByRole("button", { name: "Create account" }).click();
      await entry.locator(".field .error").first().waitFor();
      await check(entry, "register, with an error");

      const page = await enter(ann, options);
      await page.locator(".badge").first().waitFor();
      await check(page, "list of chats");
      await openChat(page, "Group");
      await page.locator(".unread-line").waitFor();
      await page.locator("#composer").fill("a text\nof two lines");
      await check(page, "chat");
      await loaded(page, ".message .picture");
      await page.locator(".message .picture").click();
      await loaded(page, "dialog.photo");
      await check(page, "photo");
      await page.keyboard.press("Escape");
      await page.route("**/files/*/done", (route) => route.fulfill({ status: 422, json: { code: "file_refused" } }));
      await attach(page, chosen("no.txt", Buffer.from("no"), "text/plain"));
      await page.locator(".attachment.failed").waitFor();
      await page.unroute("**/files/*/done");
      await attach(page, chosen("yes.png", png(60, 40)));
      await page.locator(".attachment.done").waitFor();
      await check(page, "attached files");
      await page.getByRole("button", { name: "Remove no.txt" }).click();
      await page.getByRole("button", { name: "Remove yes.png" }).click();
      await page.getByRole("button", { name: "Send" }).click();
      const mine = page.locator(".message.mine .bubble");
      await page.locator(".ticks[title=Sent]").waitFor();
      await (phone ? mine.tap() : mine.click({ button: "right" }));
      await page.getByRole("menuitem").first().waitFor();
      await check(page, "menu");
      await page.getByRole("menuitem", { name: "Who has read it" }).click();
      await page.locator("dialog.readers").waitFor();
      await check(page, "readers");
      await page.keyboard.press("Escape");
      await page.locator("#composer").press("ArrowUp");
      await page.locator(".editing").waitFor();
      await check(page, "editing");
      await page.locator("#composer").press("Escape");
      await page.locator(".who-header").click();
      await check(page, "group");
      await page.getByRole("button", { name: "Actions for Ben" }).click();
      await check(page, "actions for a member");
      await page.keyboard.press("Escape");
      const others = { "Edit the group": "rename", "Add people": "add", "Leave the group": "confirm" };
      for (const [button, type] of Object.entries(others)) {
        await page.locator("dialog.info").getByRole("button", { name: button }).click();
        await page.locator(`dialog.${type}`).waitFor();
        await check(page, button);
        await page.keyboard.press("Escape");
        await page.locator(`dialog.${type}`).waitFor({ state: "detached" });
      }
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
      if (phone) await page.getByRole("button", { name: "Back to chats" }).click();
      await page.getByRole("button", { name: "New chat" }).click();
      await page.getByLabel("Name or username").fill("ben");
      await page.locator("dialog .people .item").first().waitFor();
      await check(page, "new chat");
      await page.getByRole("button", { name: "New group" }).click();
      await page.locator("dialog.group").getByLabel("Add people").fill("ben");
      await page.locator("dialog.group .people .item").first().click();
      await check(page, "new group");
      await page.keyboard.press("Escape");
      await page.locator("dialog.group").waitFor({ state: "detached" });
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Settings" }).click();
      await page.locator(".sessions li").first().waitFor();
      await check(page, "settings");
      await page.getByRole("button", { name: "Change password" }).click();
      await check(page, "change password");
      await page.keyboard.press("Escape");
      await page.locator("dialog.password").waitFor({ state: "detached" });
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
      await page.locator("#search").fill("changed");
      await page.locator(".sidebar button.item").first().waitFor();
      await check(page, "search");
      await page.locator("#search").press("Escape");
      await goOffline(page);
      await page.locator(".bar.warning").waitFor();
      await check(page, "offline");
      assert.deepEqual(page.errors, []);
    });
  }
}
