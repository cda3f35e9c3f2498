// @ts-check
// Makes pictures of the screens with files and pictures of people, beside those of screens.js.
//
//   WINDI_URL=http://localhost:3000 npm run screens

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { account, call, enter, group, launch, openChat, send, until } from "./helpers.js";
import { attach, chosen, give, loaded, png, upload, uploadPicture } from "./pictures.js";

const usual = fileURLToPath(new URL("../../../target/screens", import.meta.url));
const directory = resolve(process.argv[2] ?? usual);
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const PDF = "application/pdf";

/** People with pictures, and what they have sent. */
async function world() {
  const [anna, ben, chloe] = [await account("Anna Petrova"), await account("Ben Clark"), await account("Chloé Martin")];
  for (const [person, side] of /** @type {const} */ ([[anna, 240], [chloe, 320]])) {
    const avatar_id = await uploadPicture(person.token, side, side, "me.png");
    await call("PATCH", "/users/me", person.token, { avatar_id });
  }
  const chat = await group("Weekend in the hills", [anna, ben, chloe]);
  const picture_id = await uploadPicture(anna.token, 300, 300, "group.png");
  await call("PATCH", `/chats/${chat}`, anna.token, { picture_id });
  /** @param {typeof anna} person @param {string[]} file_ids @param {{text?: string, reply_to_id?: number}} [rest] */
  const files = (person, file_ids, rest = {}) =>
    call("POST", "/messages", person.token, { chat_id: chat, file_ids, ...rest });
  await send(chloe.token, chat, "How was it?");
  const { id } = await files(ben, [await uploadPicture(ben.token, 640, 420)], { text: "The view from the hut." });
  const { token } = anna;
  const some = [[300, 200], [200, 300], [900, 300]].map(([x = 1, y = 1]) => uploadPicture(token, x, y));
  await files(anna, await Promise.all(some));
  const map = Buffer.alloc(1_300_000, "map");
  const papers = [
    await upload(chloe.token, "Map of all the huts and the paths between them, second edition.pdf", PDF, map),
    await upload(chloe.token, "list.txt", "text/plain", Buffer.from("bread")),
  ];
  await files(chloe, papers, { reply_to_id: id });
  return { anna };
}

/** @param {string} size @param {{width: number, height: number}} viewport @param {'light' | 'dark'} colorScheme */
async function variant(size, viewport, colorScheme) {
  const phone = size === "phone";
  const { anna } = await world();
  const page = await enter(anna, { viewport, colorScheme, hasTouch: phone, isMobile: phone });
  let count = 80;
  /** @param {string} name */
  const shot = async (name) => {
    const path = join(directory, `${size}-${colorScheme}`, `${++count}-${name}.png`);
    await page.locator("#icon-plus").waitFor({ state: "attached" });
    await page.evaluate(() => Promise.all([...document.images].map((image) => image.decode().catch(() => {}))));
    await page.screenshot({ path, animations: "disabled" });
  };
  await loaded(page, "a.item .avatar");
  await shot("files-list");
  await openChat(page, "Weekend in the hills");
  await page.locator(".message .file").last().waitFor();
  await shot("files-unread");
  const list = page.locator("#messages");
  await list.evaluate((element) => (element.scrollTop = element.scrollHeight));
  await loaded(page, ".message.mine .picture");
  await shot("files");

  // The first is never done, and the second is refused.
  let uploads = 0;
  const refused = { code: "file_refused", message: "no", request_id: "x" };
  await page.route("**/files/*/done", (route) => {
    uploads++;
    if (uploads === 2) void route.fulfill({ status: 422, json: refused });
    else if (uploads > 2) void route.continue();
  });
  await attach(page, chosen("slow.pdf", Buffer.alloc(90_000), PDF));
  await until(async () => uploads === 1, "the first is almost done");
  await attach(page, chosen("refused.bin", Buffer.alloc(100), "application/octet-stream"));
  await page.locator(".attachment.failed").waitFor();
  await attach(page, chosen("sunset over the hills.png", png(500, 400, [224, 140, 96])));
  await page.locator(".attachment.done").waitFor();
  await page.locator("#composer").fill("One more from the way home");
  await shot("files-attached");
  for (const name of ["slow.pdf", "refused.bin", "sunset over the hills.png"]) {
    await page.getByRole("button", { name: `Remove ${name}` }).click();
  }
  await give(page, ".conversation", "dragover", chosen("x.png", png(9, 9)));
  await page.locator(".drop-here").waitFor();
  await shot("files-dragged");
  await page.locator(".conversation").dispatchEvent("dragleave");
  await page.locator(".message.mine .picture").first().click();
  await loaded(page, "dialog.photo");
  await shot("files-photo");
  await page.keyboard.press("Escape");
  await page.locator(".who-header").click();
  await loaded(page, "dialog.info .profile .avatar");
  await shot("group-with-picture");
  await page.keyboard.press("Escape");
  if (phone) await page.getByRole("button", { name: "Back to chats" }).click();
  await page.getByRole("button", { name: "Settings" }).click();
  await loaded(page, "dialog.settings .avatar");
  await shot("settings-with-picture");
  await page.context().close();
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    await mkdir(join(directory, `${size}-${colorScheme}`), { recursive: true });
    await variant(size, viewport, colorScheme);
    console.log(`files, ${size}, ${colorScheme}: done`);
  }
}
await (await launch()).close();
process.exit();
