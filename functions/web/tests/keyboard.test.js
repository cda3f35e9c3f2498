// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, device, group, open, PASSWORD, send, until } from "./helpers.js";

/** @import {Page} from "playwright-core" */

/** What has the focus, in a few words. @param {Page} page */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (element === document.body) return "";
    return `${element?.getAttribute("aria-label") ?? ""} ${element?.textContent ?? ""} ${element?.id ?? ""}`;
  });

/** Presses Tab until something has the focus. @param {Page} page @param {string} wanted */
async function tabTo(page, wanted) {
  for (let i = 0; i < 60; i++) {
    if ((await focused(page)).includes(wanted)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never reaches ${wanted}`);
}

test("everything can be done with the keyboard alone", { timeout: 120_000 }, async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Keys", [ann, ben]);
  await send(ben.token, chat, "hello");
  const page = await open(await device());
  // The first field of the form has the focus.
  await until(async () => (await focused(page)).includes("f-login"), "the login has the focus");
  await page.keyboard.type(ann.username);
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.locator("a.item").first().waitFor();
  await tabTo(page, "Keys");
  await page.keyboard.press("Enter");
  await until(async () => (await focused(page)).includes("composer"), "an opened chat can be written in");
  await page.keyboard.type("one line");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("another");
  assert.equal(await page.locator("#composer").inputValue(), "one line\nanother");
  await page.keyboard.press("Enter");
  await page.locator(".message.mine .ticks[title=Sent]").waitFor();
  assert.equal(await page.locator(".message.mine .text").innerText(), "one line\nanother");

  // From the field to the last message, its menu, and back.
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await until(async () => (await focused(page)).includes("Edit"), "the menu has the focus");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.match(await focused(page), /Who has read it/);
  await page.keyboard.press("Escape");
  await page.locator(".menu").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await until(async () => (await focused(page)).includes("composer"), "Escape leads back to the field");

  // A dialog keeps the focus inside, and gives it back.
  await tabTo(page, "Settings");
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("Tab");
    const inside = await page.evaluate(() => document.activeElement?.closest("dialog, body")?.tagName);
    assert.ok(["DIALOG", "BODY"].includes(String(inside)));
  }
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await until(async () => (await focused(page)).includes("Settings"), "the focus is where it was");
  await page.keyboard.press("Escape");
  await page.getByText("Choose a chat, or start a new one.").waitFor();
  assert.deepEqual(page.errors, []);
});

test("new messages are announced", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Loud", [ann, ben]);
  const page = await open(await device());
  await page.getByLabel("Username or e-mail").fill(ann.username);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.locator("a.item").first().waitFor();
  await send(ben.token, chat, "over here");
  await until(async () => (await page.locator("#announcer").innerText()) === "Ben: over here", "it is announced");
});
