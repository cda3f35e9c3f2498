// @ts-check
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";
import { account, device, enter, login, open } from "./helpers.js";

/** Where the messenger writes its mails: the directory `mail` in its data directory. */
const directory = process.env["WINDI_MAIL"];
const skip = directory ? false : "NOT TRIED: WINDI_MAIL does not name the directory of the messenger's mails";
if (skip) console.error(skip);

/** The code in the latest mail to an address. @param {string} to @returns {Promise<string>} */
async function code(to) {
  const files = (await readdir(`${directory}`)).filter((file) => file.endsWith(".eml")).sort();
  const mails = await Promise.all(files.map((file) => readFile(`${directory}/${file}`, "utf8")));
  const mail = mails.filter((text) => text.includes(`\r\nTo: ${to}\r\n`)).at(-1) ?? "";
  const found = /^Your code: (\S+)\r$/m.exec(mail)?.[1];
  assert.ok(found, `no code has come to ${to}`);
  return found;
}

test("a forgotten password is replaced with a code that comes by mail", { skip }, async () => {
  const ann = await account("Ann");
  const email = `${ann.username}@example.com`;
  const other = await enter(ann);
  const page = await open(await device());
  await page.getByRole("button", { name: "Forgot your password?" }).click();
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Send a code" }).click();
  await page.getByText("a code is on its way").waitFor();
  await page.getByLabel("Code").fill("0000-0000");
  await page.locator("input[name=new_password]").fill("a better one");
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByText("This code does not work.").waitFor();
  await page.getByLabel("Code").fill((await code(email)).toLowerCase());
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.waitForSelector(".sidebar");
  await other.getByText("The password was changed on another device.").waitFor();
  await login(other, ann.username, "a better one");
  assert.deepEqual(page.errors, []);
});

test("a new e-mail address is confirmed with a code", { skip }, async () => {
  const ben = await account("Ben");
  const email = `${ben.username}@example.org`;
  const page = await enter(ben);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Change e-mail address" }).click();
  const dialog = page.locator("dialog.email");
  await dialog.getByLabel("New e-mail address").fill(email);
  await dialog.getByLabel("Current password").fill("not it");
  await dialog.getByRole("button", { name: "Send a code" }).click();
  await dialog.getByText("The current password is wrong.").waitFor();
  await dialog.getByLabel("Current password").fill("password123");
  await dialog.getByRole("button", { name: "Send a code" }).click();
  await dialog.getByText("a mail is on its way").waitFor();
  await dialog.getByLabel("Code").fill(await code(email));
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await page.getByText("The e-mail address was changed.").waitFor();
  await page.locator(".profile").getByText(email).waitFor();
  assert.deepEqual(page.errors, []);
});
