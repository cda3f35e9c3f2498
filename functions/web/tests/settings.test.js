// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, account, call, device, enter, group, login, open, openChat, send, until, write } from "./helpers.js";

test("other devices are listed and logged out", async () => {
  const ann = await account("Ann");
  const page = await enter(ann);
  const other = await enter(ann);
  await page.getByRole("button", { name: "Settings" }).click();
  await until(async () => (await page.locator(".sessions li").count()) === 3, "three sessions are listed");
  await page.locator(".sessions li").nth(1).getByRole("button").click();
  await until(async () => (await page.locator(".sessions li").count()) === 2, "one is gone");
  await page.getByRole("button", { name: "Log out all other devices" }).click();
  await page.locator("dialog.confirm").getByRole("button", { name: "Log out" }).click();
  await until(async () => (await page.locator(".sessions li").count()) === 1, "only this one is left");
  await other.getByText("Your session has ended. Log in again.").waitFor();
  assert.deepEqual(page.errors, []);
});

test("a changed password ends the other sessions and is needed from then on", async () => {
  const ann = await account("Ann");
  const page = await enter(ann);
  const other = await enter(ann);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Change password" }).click();
  const dialog = page.locator("dialog.password");
  await dialog.getByLabel("Current password").fill("not it");
  await dialog.getByLabel("New password").fill("a better one");
  await dialog.getByRole("button", { name: "Change password" }).click();
  await dialog.getByText("The current password is wrong.").waitFor();
  await dialog.getByLabel("Current password").fill("password123");
  await dialog.getByRole("button", { name: "Change password" }).click();
  await page.getByText("The password was changed.").waitFor();
  await other.getByText("The password was changed on another device.").waitFor();
  await login(other, ann.username, "a better one");
});

/** @param {import("playwright-core").Page} page */
async function logOut(page) {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Log out" }).first().click();
  await page.locator("dialog.confirm").getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
}

/** The keys in the browser's database. @param {import("playwright-core").Page} page @returns {Promise<string[]>} */
const stored = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const request = indexedDB.open("windi");
        request.onsuccess = () => {
          const keys = request.result.transaction("values").objectStore("values").getAllKeys();
          keys.onsuccess = () => {
            request.result.close();
            resolve(keys.result.map(String));
          };
        };
      }),
  );

test("a log-out leaves nothing behind, and nothing to the next person", { timeout: 60_000 }, async () => {
  const [ann, ben, cy] = [await account("Ann"), await account("Ben"), await account("Cy")];
  await group("Secret", [ann, ben]);
  await group("Drafted", [ann, ben]);
  await group("Of Cy", [cy, ben]);
  const page = await enter(ann);
  await openChat(page, "Drafted");
  await page.locator("#composer").fill("a draft of Ann");
  await openChat(page, "Secret");
  // Neither the socket nor HTTP takes the message, and a search is never answered.
  await page.route("**/messages", (route) => route.abort());
  await page.route("**/messages/search**", () => {});
  await page.evaluate(() => {
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      if (!String(data).includes("sendMessage")) send.call(this, data);
    };
  });
  await write(page, "unsent of Ann");
  await page.locator("#search").fill("words of Ann");
  await until(async () => (await stored(page)).length === 3, "a session, a draft and a message are stored");
  await page.waitForTimeout(400);
  await logOut(page);
  assert.deepEqual(await stored(page), []);
  await login(page, cy.username);
  await page.locator("a.item", { hasText: "Of Cy" }).waitFor();
  assert.equal(await page.locator("#search").inputValue(), "");
  assert.equal(await page.locator("#announcer").innerText(), "");
  assert.doesNotMatch(await page.locator("body").innerText(), /of Ann|Secret|Drafted/);
  assert.deepEqual(
    (await stored(page)).map((key) => key.split("/")[0]),
    ["session"],
  );
  await logOut(page);
  await page.reload();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
});

test("an answer to the search of one person is not shown to the next", { timeout: 60_000 }, async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Found", [ann, ben]);
  await send(ann.token, chat, "needle of Ann");
  const page = await enter(ann);
  await page.locator("a.item").first().waitFor();
  let answer = () => {};
  const held = new Promise((/** @type {(value: void) => void} */ resolve) => (answer = resolve));
  await page.route("**/messages/search**", async (route) => {
    const response = await route.fetch();
    await held;
    await route.fulfill({ response });
  });
  const asked = page.waitForRequest("**/messages/search**");
  await page.locator("#search").fill("needle");
  await asked;
  await logOut(page);
  await login(page, ben.username);
  await page.locator("a.item").first().waitFor();
  answer();
  await page.waitForTimeout(500);
  assert.equal(await page.locator("#search").inputValue(), "");
  assert.equal(await page.getByRole("heading", { name: "Messages" }).count(), 0);
  assert.equal(await page.locator(".toast").count(), 0);
});

test("a log-out in one tab is one in all tabs", async () => {
  const ann = await account("Ann");
  const page = await enter(ann);
  const other = await open(page.context());
  await other.locator(".sidebar").waitFor();
  await logOut(page);
  await other.getByRole("heading", { name: "Log in" }).waitFor();
  assert.deepEqual(await stored(other), []);
});

test("without a storage that works, one can still log in", async () => {
  const ann = await account("Ann");
  const context = await device();
  await context.addInitScript(() => {
    const refuse = () => {
      throw new DOMException("no", "SecurityError");
    };
    IDBFactory.prototype.open = /** @type {any} */ (refuse);
    if (navigator.locks) LockManager.prototype.request = /** @type {any} */ (refuse);
  });
  const page = await open(context);
  await login(page, ann.username);
  assert.deepEqual(page.errors, []);
});

test("a storage that fails at the start shows the login, with a notice", async () => {
  const context = await device();
  await context.addInitScript(() => {
    IDBObjectStore.prototype.get = () => {
      throw new DOMException("no", "UnknownError");
    };
  });
  const page = await open(context);
  await page.getByText("This browser does not let the page store anything. Log in again.").waitFor();
});

test("an account is deleted with its password", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const { id: chat } = await call("POST", "/chats", ann.token, { kind: "private", user_id: ben.id });
  await send(ann.token, chat, "my words");
  const page = await enter(ann);
  const other = await enter(ben);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.locator("dialog.settings").getByRole("button", { name: "Delete account" }).click();
  await page.locator("dialog.farewell").getByLabel("Current password").fill("wrong wrong");
  await page.locator("dialog.farewell").getByRole("button", { name: "Delete account" }).click();
  await page.getByText("The current password is wrong.").waitFor();
  await page.locator("dialog.farewell").getByLabel("Current password").fill(PASSWORD);
  await page.locator("dialog.farewell").getByRole("button", { name: "Delete account" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await openChat(other, "Deleted account");
  await other.locator(".message", { hasText: "my words" }).waitFor();
  await write(other, "are you there?");
  await other.getByText("This person cannot be reached by you.").waitFor();
  assert.deepEqual([page.errors, other.errors], [[], []]);
});
