// @ts-check
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { account, call, enter, group, goOffline, openChat, send, until, write } from "./helpers.js";
import { attach, chosen, give, loaded, png, upload, uploadPicture } from "./pictures.js";

/** @import {Page} from "playwright-core" */

const TEXT = "text/plain";

/** @param {string} name @param {number} [count] of people */
async function two(name, count = 2) {
  const people = [await account("Ann"), await account("Ben"), await account("Cy")].slice(0, count);
  const [ann, ben] = /** @type {[typeof people[0], typeof people[0]]} */ (people);
  return { ann, ben, chat: await group(name, people) };
}

/** Waits until everything that was chosen is uploaded. @param {Page} page */
async function ready(page) {
  await page.locator(".attachment.done").first().waitFor();
  await until(async () => (await page.locator(".attachment:not(.done)").count()) === 0, "all is uploaded");
}

/** What a click downloads. @param {Page} page @param {() => Promise<unknown>} click */
async function downloaded(page, click) {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** How large a picture itself is. @param {Page} page @param {string} selector */
const sizeOf = (page, selector) =>
  page.locator(selector).evaluate((element) => {
    const { naturalWidth, naturalHeight } = /** @type {HTMLImageElement} */ (element);
    return [naturalWidth, naturalHeight];
  });

test("a picture is attached, sent without a text, seen by the other, opened and downloaded", async () => {
  const { ann, ben } = await two("Holidays");
  const [page, other] = [await enter(ann), await enter(ben)];
  await openChat(page, "Holidays");
  await openChat(other, "Holidays");
  const picture = png(800, 500);
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Attach files" }).click(),
  ]);
  await chooser.setFiles([chosen("hills.png", picture)]);
  await page.locator(".attachment", { hasText: "hills.png" }).locator(".thumb").waitFor();
  await ready(page);
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".attachment").waitFor({ state: "detached" });
  for (const one of [page, other]) {
    await loaded(one, ".message .picture");
    const box = await one.locator(".message .picture").boundingBox();
    assert.ok(box && Math.round(box.width) === 320 && Math.round(box.height) === 200, JSON.stringify(box));
    const preview = await one.locator(".message img.blur").getAttribute("src");
    assert.match(String(preview), /^data:image\/(webp|jpeg);base64,/);
  }
  await page.locator(".message.mine .ticks[title=Read]").waitFor();
  await page.locator("a.item .preview", { hasText: "You: Photo" }).waitFor();
  await other.locator("a.item .preview", { hasText: "Ann: Photo" }).waitFor();

  await other.getByRole("button", { name: "Open the photo hills.png" }).click();
  await loaded(other, "dialog.photo");
  assert.equal((await sizeOf(other, "dialog.photo img[data-file]")).join(), "800,500");
  const got = await downloaded(other, () => other.getByRole("button", { name: /^Download,/ }).click());
  assert.equal(got.name, "hills.png");
  assert.ok(got.bytes.equals(picture), "the bytes are the same");
  await other.keyboard.press("Escape");
  await other.locator("dialog.photo").waitFor({ state: "detached" });
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("any other file is a row with its name and size, and is downloaded", async () => {
  const { ann, ben } = await two("Papers");
  const [page, other] = [await enter(ann), await enter(ben)];
  await openChat(page, "Papers");
  await openChat(other, "Papers");
  const bytes = Buffer.from("a list\n".repeat(300));
  await attach(page, chosen("list of guests.txt", bytes, TEXT));
  await page.locator("#composer").fill("who comes");
  await ready(page);
  await page.locator("#composer").press("Enter");
  const row = other.getByRole("button", { name: "Download list of guests.txt, 2 kB" });
  const got = await downloaded(other, () => row.click());
  assert.equal(got.name, "list of guests.txt");
  assert.ok(got.bytes.equals(bytes));
  await other.locator("a.item .preview", { hasText: "Ann: who comes" }).waitFor();
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("pictures are pasted, files are dropped, and several go in one message", async () => {
  const { ann, ben } = await two("Mixed");
  const [page, other] = [await enter(ann), await enter(ben)];
  await openChat(page, "Mixed");
  await give(page, "#composer", "paste", chosen("image.png", png(60, 40)));
  const dropped = [chosen("tall.png", png(200, 300)), chosen("notes.txt", Buffer.from("notes"), TEXT)];
  await give(page, ".conversation", "dragover", ...dropped);
  await page.locator(".drop-here").waitFor();
  await give(page, ".conversation", "drop", ...dropped);
  await page.locator(".drop-here").waitFor({ state: "detached" });
  await until(async () => (await page.locator(".attachment.done").count()) === 3, "all three are uploaded");
  await page.locator("#composer").press("Enter");
  await other.locator("a.item .preview", { hasText: "image.png and 2 more files" }).waitFor();
  await openChat(other, "Mixed");
  await until(async () => (await other.locator(".picture img[data-state=loaded]").count()) === 2, "both are loaded");
  assert.equal(await other.locator(".message .file").count(), 1);
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("what is too large, empty or too much is refused in words, before anything is uploaded", async () => {
  const { ann } = await two("Limits");
  const page = await enter(ann);
  await openChat(page, "Limits");
  let uploads = 0;
  await page.route("**/files", (route) => (uploads++, route.continue()));
  await attach(page, chosen("film.mp4", Buffer.alloc(25 * 1024 * 1024 + 1), "video/mp4"));
  await page.locator(".toast", { hasText: "“film.mp4” is too large: a file can have at most 25 MB." }).waitFor();
  await attach(page, chosen("nothing.txt", Buffer.alloc(0), TEXT));
  await page.locator(".toast", { hasText: "“nothing.txt” is empty." }).waitFor();
  assert.equal(await page.locator(".attachment").count(), 0);
  assert.equal(uploads, 0);
  assert.ok(await page.getByRole("button", { name: "Send" }).isDisabled());
  await attach(page, ...Array.from({ length: 11 }, (_, i) => chosen(`${i}.txt`, Buffer.from("x"), TEXT)));
  await page.locator(".toast", { hasText: "A message can have at most 10 files." }).waitFor();
  assert.equal(await page.locator(".attachment").count(), 10);
  assert.deepEqual(page.errors, []);
});

test("a message waits for its files; what failed is tried again or removed", async () => {
  const { ann } = await two("Waiting");
  const page = await enter(ann);
  await openChat(page, "Waiting");
  let finish = () => {};
  const held = new Promise((/** @type {(value: void) => void} */ resolve) => (finish = resolve));
  await page.route("**/files/*/done", async (route) => {
    await held;
    await route.continue();
  });
  await page.locator("#composer").fill("with a picture");
  await attach(page, chosen("slow.png", png(50, 50)));
  const button = page.getByRole("button", { name: "Send" });
  await page.locator(".attachment progress").waitFor();
  assert.ok(await button.isDisabled());
  assert.equal(await button.getAttribute("title"), "The message can be sent once its files are uploaded.");
  await page.locator("#composer").press("Enter");
  assert.equal(await page.locator(".message.mine").count(), 0);
  finish();
  await ready(page);
  await page.unroute("**/files/*/done");

  const refused = { code: "file_refused", message: "no", request_id: "x" };
  await page.route("**/files/*/done", (route) => route.fulfill({ status: 422, json: refused }));
  await attach(page, chosen("bad.txt", Buffer.from("x"), TEXT), chosen("worse.txt", Buffer.from("x"), TEXT));
  await until(async () => (await page.locator(".attachment.failed").count()) === 2, "both have failed");
  await page.locator(".attachment.failed", { hasText: "The server did not accept this file." }).first().waitFor();
  assert.ok(await button.isDisabled());
  await page.unroute("**/files/*/done");
  await page.getByRole("button", { name: "Upload bad.txt again" }).click();
  await page.getByRole("button", { name: "Remove worse.txt" }).click();
  await ready(page);
  await button.click();
  await page.locator(".message.mine .ticks[title=Sent]").waitFor();
  assert.equal(await page.locator(".message.mine .file").count(), 1);
  assert.equal(await page.locator(".message.mine .picture").count(), 1);
  assert.deepEqual(page.errors, []);
});

test("a picture that the server does not take for one is sent as any other file", async () => {
  const { ann } = await two("Odd");
  const page = await enter(ann);
  await openChat(page, "Odd");
  const refused = { code: "invalid_field", message: "width: no", request_id: "x" };
  await page.route("**/files", (route) => {
    const { width } = route.request().postDataJSON() ?? {};
    return width ? route.fulfill({ status: 422, json: refused }) : route.continue();
  });
  await attach(page, chosen("odd.png", png(50, 50)));
  await ready(page);
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".message.mine .ticks[title=Sent]").waitFor();
  assert.equal(await page.locator(".message.mine .file").count(), 1);
  assert.equal(await page.locator(".message.mine .picture").count(), 0);
  assert.deepEqual(page.errors, []);
});

test("a message that waits for a connection shows its files, also after a reload", { timeout: 60_000 }, async () => {
  const { ann } = await two("Tunnel");
  const page = await enter(ann);
  await openChat(page, "Tunnel");
  await attach(page, chosen("map.png", png(300, 200)));
  await ready(page);
  await page.route("**/messages", (route) => route.abort());
  await page.evaluate(() => {
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      if (!String(data).includes("sendMessage")) send.call(this, data);
    };
  });
  await page.locator("#composer").press("Enter");
  await page.locator(".message.pending .picture").waitFor();
  await goOffline(page);
  await page.locator("a.item .preview", { hasText: "You: Photo" }).waitFor();
  await page.context().setOffline(false);
  await page.unroute("**/messages");
  await page.reload();
  await page.locator(".message.mine .ticks[title=Sent]").waitFor();
  await loaded(page, ".message.mine .picture");
  assert.deepEqual(page.errors, []);
});

test("pictures are loaded when they are in sight, and the list does not jump", { timeout: 60_000 }, async () => {
  const { ann, ben, chat } = await two("Album");
  for (let i = 0; i < 12; i++) {
    const file_ids = [await uploadPicture(ben.token, 300, 400 + i, `${i}.png`)];
    await call("POST", "/messages", ben.token, { chat_id: chat, file_ids });
  }
  await call("POST", `/messages/${chat}/12/read`, ann.token);
  const page = await enter(ann);
  const before = () => page.locator("#messages").evaluate((list) => list.scrollHeight);
  await openChat(page, "Album");
  await until(async () => (await page.locator(".message .picture").count()) === 12, "all are drawn");
  const height = await before();
  await loaded(page, ".message:last-child .picture");
  assert.equal(await page.locator(".message:first-child img[data-state]").count(), 0, "the first is not loaded");
  await page.locator("#messages").evaluate((list) => (list.scrollTop = 0));
  await loaded(page, ".message:first-child .picture");
  assert.equal(await before(), height);
  assert.deepEqual(page.errors, []);
});

test("a message with files is answered, edited, and deleted with them, by the keyboard", async () => {
  const { ann, ben, chat } = await two("Edits");
  const file_ids = [
    await uploadPicture(ann.token, 300, 200),
    await upload(ann.token, "a.txt", TEXT, Buffer.from("a")),
  ];
  await call("POST", "/messages", ann.token, { chat_id: chat, file_ids });
  const [page, other] = [await enter(ann), await enter(ben)];
  await openChat(page, "Edits");
  await openChat(other, "Edits");
  await other.locator(".message").last().focus();
  await other.keyboard.press("Enter");
  await other.getByRole("menuitem", { name: "Show the photo" }).waitFor();
  assert.equal(await other.getByRole("menuitem", { name: "Copy text" }).count(), 0);
  const got = await downloaded(other, () => other.getByRole("menuitem", { name: "Download a.txt" }).press("Enter"));
  assert.equal(got.bytes.toString(), "a");
  await other.locator(".message").last().focus();
  await other.keyboard.press("Enter");
  await other.getByRole("menuitem", { name: "Reply" }).press("Enter");
  await other.locator(".editing", { hasText: "hills.png and 1 more file" }).waitFor();
  await write(other, "nice");
  await page.locator(".quote", { hasText: "hills.png and 1 more file" }).waitFor();
  await page.locator("#composer").press("ArrowUp");
  await page.locator(".editing").waitFor();
  await page.locator("#composer").fill("the hills");
  assert.equal(await page.getByRole("button", { name: "Attach files" }).count(), 0);
  await page.locator("#composer").press("Enter");
  await other.locator(".message", { hasText: "the hills" }).locator(".picture").waitFor();
  await call("DELETE", `/messages/${chat}/1`, ann.token);
  await other.locator(".message .gone").waitFor();
  assert.equal(await other.locator(".message .files").count(), 0);
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("a picture of oneself is chosen, seen by others, and removed", async () => {
  const { ann, ben, chat } = await two("Faces");
  await send(ann.token, chat, "hello");
  const { id: pair } = await call("POST", "/chats", ben.token, { kind: "private", user_id: ann.id });
  await send(ben.token, pair, "hello");
  const [page, other] = [await enter(ann), await enter(ben)];
  await openChat(other, "Faces");
  assert.equal(await other.locator("a.item .avatar img").count(), 0);
  await page.getByRole("button", { name: "Settings" }).click();
  const settings = page.locator("dialog.settings");
  await settings.getByRole("button", { name: "Choose a picture" }).waitFor();
  await settings.locator(".portrait-input").setInputFiles([chosen("me.png", png(900, 600))]);
  await loaded(page, "dialog.settings .avatar");
  assert.equal((await sizeOf(page, "dialog.settings .avatar img")).join(), "512,512");
  await loaded(page, ".sidebar .me .avatar");
  await loaded(other, "a.item .avatar");
  await loaded(other, ".message .avatar");
  await settings.getByRole("button", { name: "Remove the picture" }).click();
  await settings.getByRole("button", { name: "Choose a picture" }).waitFor();
  await other.locator("a.item .avatar img").waitFor({ state: "detached" });

  await settings.locator(".portrait-input").setInputFiles([chosen("me.txt", Buffer.from("no"), TEXT)]);
  await settings.getByText("This is not a picture that can be shown here.").waitFor();
  assert.deepEqual([page.errors, other.errors], [[], []]);
});

test("a group's picture is chosen by its admins, and told of in the history", async () => {
  const { ann, ben } = await two("Club");
  const [page, other] = [await enter(ann), await enter(ben)];
  await openChat(page, "Club");
  await openChat(other, "Club");
  await page.locator(".who-header").click();
  const info = page.locator("dialog.info");
  await info.locator(".portrait-input").setInputFiles([chosen("club.png", png(300, 300))]);
  await loaded(page, "dialog.info .profile .avatar");
  await other.locator(".service", { hasText: "Ann changed the picture of the group" }).waitFor();
  await loaded(other, ".who-header .avatar");
  await loaded(other, "a.item .avatar");
  await other.locator(".who-header").click();
  await other.locator("dialog.info .profile").waitFor();
  assert.equal(await other.locator("dialog.info .portrait-buttons").count(), 0);
  await info.getByRole("button", { name: "Remove the picture" }).click();
  await other.locator(".who-header .avatar img").waitFor({ state: "detached" });
  assert.deepEqual([page.errors, other.errors], [[], []]);
});
