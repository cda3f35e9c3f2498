// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, device, enter, group, open, openChat, PASSWORD, send, texts, until, write } from "./helpers.js";

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
  await until(async () => (await focused(page)).includes("Reply"), "the menu has the focus");
  await page.keyboard.press("ArrowUp");
  assert.match(await focused(page), /🙏/u);
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowUp");
  assert.match(await focused(page), /Who has read it/);
  await page.keyboard.press("Escape");
  await page.locator(".menu").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await until(async () => (await focused(page)).includes("composer"), "Escape leads back to the field");

  // A dialog keeps the focus inside, and gives it back.
  await tabTo(page, "Settings");
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor();
  const places = new Set();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("Tab");
    // At the end of a dialog the focus may leave the document, for the browser's own controls, but not the dialog.
    const place = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return "none";
      return element.closest("dialog") ? "dialog" : element.outerHTML.slice(0, 80);
    });
    places.add(place);
  }
  places.delete("none");
  assert.deepEqual([...places], ["dialog"]);
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
  // The same words again are another message.
  await page.evaluate(() => {
    const all = /** @type {any} */ (window);
    all.announced = 0;
    new MutationObserver(() => all.announced++).observe(document.getElementById("announcer") ?? document.body, {
      childList: true,
    });
  });
  await send(ben.token, chat, "over here");
  await until(() => page.evaluate(() => /** @type {any} */ (window).announced > 0), "it is announced again");
});

test("keys of an input method neither send nor close anything", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  await group("Kana", [ann, ben]);
  const page = await enter(ann);
  await openChat(page, "Kana");
  await page.locator("#composer").fill("half a word");
  const keys = (/** @type {any} */ how) =>
    page.locator("#composer").evaluate((area, how) => {
      for (const key of ["Enter", "Escape"])
        area.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...how }));
    }, how);
  await keys({ isComposing: true });
  await keys({ keyCode: 229 });
  await page.waitForTimeout(300);
  assert.deepEqual([await page.locator("#composer").inputValue(), await texts(page)], ["half a word", []]);
  await keys({});
  await page.getByText("Choose a chat, or start a new one.").waitFor();
  await openChat(page, "Kana");
  assert.deepEqual(await texts(page), ["half a word"]);
});

test("Enter makes a new line where there is nothing but a finger", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  await group("Touch", [ann, ben]);
  const page = await enter(ann, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await openChat(page, "Touch");
  await page.locator("#composer").fill("one");
  await page.locator("#composer").press("Enter");
  await page.locator("#composer").pressSequentially("two");
  assert.equal(await page.locator("#composer").inputValue(), "one\ntwo");
  await page.getByRole("button", { name: "Send" }).click();
  await until(async () => (await texts(page)).at(-1) === "one\ntwo", "the button sends");
});

test("a chat that is opened from a dialog can be written in at once", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const page = await enter(ann);
  await page.getByRole("button", { name: "New chat" }).first().click();
  await page.locator("dialog input").first().fill(ben.username);
  await page.locator("dialog button.item", { hasText: ben.username }).click();
  await page.locator("#composer").waitFor();
  await page.waitForTimeout(300);
  assert.match(await focused(page), /composer/);
});

test("a menu goes with what it is about", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  await group("Menus", [ann, ben]);
  const page = await enter(ann);
  await openChat(page, "Menus");
  await write(page, "with a menu");
  await page.locator(".message.mine .ticks[title=Sent]").waitFor();
  await page.locator(".message.mine .bubble").click({ button: "right" });
  await page.locator(".menu").waitFor();
  // The message leaves the page; Escape then has only the chat to close.
  await page.locator(".message.mine .bubble").evaluate((bubble) => bubble.remove());
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.locator(".menu").waitFor({ state: "detached" });
});

test("an edit that cannot be saved keeps its text", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  await group("Edits", [ann, ben]);
  const page = await enter(ann);
  await openChat(page, "Edits");
  await write(page, "first");
  await page.locator(".message.mine .ticks[title=Sent]").waitFor();
  await page.locator("#composer").press("ArrowUp");
  await page.locator(".editing").waitFor();
  await write(page, "x".repeat(4_097));
  await page.getByText("A message can have at most 4,096 characters.").waitFor();
  assert.equal((await page.locator("#composer").inputValue()).length, 4_097);
  await page.route("**/messages/**", (route) =>
    route.request().method() === "PATCH"
      ? route.fulfill({ status: 500, json: { code: "internal", message: "x" } })
      : route.fallback(),
  );
  await write(page, "the second");
  // The first error may still be there.
  await page.locator(".toast.error", { hasText: "Something went wrong on the server." }).waitFor();
  await page.locator(".editing").waitFor();
  assert.equal(await page.locator("#composer").inputValue(), "the second");
  await page.unroute("**/messages/**");
  await page.locator("#composer").press("Enter");
  await until(async () => (await texts(page)).at(-1) === "the second", "the edit is saved");
});
