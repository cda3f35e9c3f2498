// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { account, enter, login, until } from "./helpers.js";

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
  await other.getByText("You were logged out from another device.").waitFor();
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

test("a log-out leaves nothing behind", async () => {
  const ann = await account("Ann");
  const page = await enter(ann);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Log out" }).first().click();
  await page.locator("dialog.confirm").getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  const stored = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const request = indexedDB.open("windi");
        request.onsuccess = () => {
          const keys = request.result.transaction("values").objectStore("values").getAllKeys();
          keys.onsuccess = () => resolve(keys.result);
        };
      }),
  );
  assert.deepEqual(stored, []);
  await page.reload();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
});
