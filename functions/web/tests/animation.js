// @ts-check
// Makes docs/talk.png, an animated PNG: two people talk, each in a window of their own.
//
//   WINDI_URL=http://localhost:3000 npm run animation

import { writeFile } from "node:fs/promises";
import { crc32, deflateSync, inflateSync } from "node:zlib";
import { account, call, enter, group, launch, openChat, send } from "./helpers.js";

/** @import {Page} from "playwright-core" */

/**
 * Pixels, each as its red, green and blue.
 * @typedef {{width: number, height: number, data: Buffer}} Picture
 */

const SIZE = { width: 384, height: 520 };
/** Pixels of the picture for one of the page, so that letters are sharp on most screens. */
const SCALE = 2;
const RGB = 3;
const SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");

// Reading and writing PNG. What a browser writes is neither interlaced nor has it a palette.

/** @param {number} a @param {number} b @param {number} c what PNG predicts a byte from: left, above, and both */
function paeth(a, b, c) {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/** The five ways to predict a byte. @type {Array<(a: number, b: number, c: number) => number>} */
const FILTERS = [() => 0, (a) => a, (_, b) => b, (a, b) => (a + b) >> 1, paeth];

/** @param {Buffer} png @returns {Picture} */
function decode(png) {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const bytes = png[25] === 6 ? 4 : RGB;
  const parts = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const row = width * bytes;
  const lines = Buffer.alloc(row * height);
  const data = Buffer.alloc(width * height * RGB);
  for (let y = 0; y < height; y++) {
    const filter = FILTERS[Number(raw[y * (row + 1)])] ?? paeth;
    for (let x = 0; x < row; x++) {
      const at = y * row + x;
      const left = x < bytes ? 0 : Number(lines[at - bytes]);
      const above = y === 0 ? 0 : Number(lines[at - row]);
      const corner = x < bytes || y === 0 ? 0 : Number(lines[at - row - bytes]);
      lines[at] = Number(raw[y * (row + 1) + 1 + x]) + filter(left, above, corner);
    }
    for (let x = 0; x < width; x++) {
      const at = y * row + x * bytes;
      lines.copy(data, (y * width + x) * RGB, at, at + RGB);
    }
  }
  return { width, height, data };
}

/** The compressed pixels, with whichever filter makes them smallest. @param {Picture} picture */
function compress({ width, height, data }) {
  const row = width * RGB;
  const tries = FILTERS.map((filter, type) => {
    const raw = Buffer.alloc((row + 1) * height);
    for (let y = 0; y < height; y++) {
      raw[y * (row + 1)] = type;
      for (let x = 0; x < row; x++) {
        const at = y * row + x;
        const left = x < RGB ? 0 : Number(data[at - RGB]);
        const above = y === 0 ? 0 : Number(data[at - row]);
        const corner = x < RGB || y === 0 ? 0 : Number(data[at - row - RGB]);
        raw[y * (row + 1) + 1 + x] = Number(data[at]) - filter(left, above, corner);
      }
    }
    return deflateSync(raw, { level: 9, memLevel: 9 });
  });
  return tries.reduce((best, next) => (next.length < best.length ? next : best));
}

/** @param {Picture} from @param {Picture} to the smallest part of `to` that is not the same, or null */
function difference(from, to) {
  const { width, height } = to;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * RGB;
      if (from.data.compare(to.data, at, at + RGB, at, at + RGB) === 0) continue;
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x), Math.max(bottom, y)];
    }
  }
  return right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** @param {Picture} picture @param {{x: number, y: number, width: number, height: number}} part @returns {Picture} */
function crop(picture, { x, y, width, height }) {
  const rows = Array.from({ length: height }, (_, line) => {
    const at = ((y + line) * picture.width + x) * RGB;
    return picture.data.subarray(at, at + width * RGB);
  });
  return { width, height, data: Buffer.concat(rows) };
}

/** @param {string} type @param {Buffer[]} parts */
function chunk(type, ...parts) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), ...parts]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(body.length - 4, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** @param {...number} values */
function words(...values) {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
}

/** An animated PNG without end. @param {Array<{picture: Picture, delay: number}>} shots delays in milliseconds */
function encode(shots) {
  const [first] = shots;
  if (!first) throw new Error("nothing was shown");
  const { width, height } = first.picture;
  const frames = [{ part: { x: 0, y: 0, width, height }, ...first }];
  let shown = first.picture;
  for (const { picture, delay } of shots.slice(1)) {
    const part = difference(shown, picture);
    const last = /** @type {typeof frames[number]} */ (frames.at(-1));
    if (part) frames.push({ part, picture, delay });
    else last.delay += delay;
    shown = picture;
  }
  let serial = 0;
  const body = frames.flatMap(({ part, picture, delay }, index) => {
    const control = words(serial++, part.width, part.height, part.x, part.y, delay * 2 ** 16 + 1_000, 0);
    // The last word is cut to its two bytes: the frame stays, and its pixels replace what is below.
    const pixels = compress(crop(picture, part));
    return [
      chunk("fcTL", control.subarray(0, 26)),
      index === 0 ? chunk("IDAT", pixels) : chunk("fdAT", words(serial++), pixels),
    ];
  });
  const header = chunk("IHDR", words(width, height), Buffer.from([8, 2, 0, 0, 0]));
  console.log(`${frames.length} pictures, ${frames.reduce((sum, { delay }) => sum + delay, 0) / 1000} seconds`);
  return Buffer.concat([SIGNATURE, header, chunk("acTL", words(frames.length, 0)), ...body, chunk("IEND")]);
}

// What is shown.

const [anna, ben, chloe] = [await account("Anna Petrova"), await account("Ben Clark"), await account("Chloé Martin")];
const hills = await group("Weekend in the hills", [anna, ben, chloe]);
await send(chloe.token, hills, "Who has the tent?");
await send(ben.token, hills, "Me");
const other = (await call("POST", "/chats", ben.token, { kind: "private", user_id: chloe.id })).id;
await send(ben.token, other, "Thank you for the photos!");
const chat = (await call("POST", "/chats", anna.token, { kind: "private", user_id: ben.id })).id;
await send(anna.token, chat, "Did you see the forecast?");
await send(ben.token, chat, "Yes, sunny on Saturday: https://example.com/forecast");

const browser = await launch();
const looks = { viewport: SIZE, deviceScaleFactor: SCALE, reducedMotion: /** @type {const} */ ("reduce") };
const left = await enter(anna, { ...looks, colorScheme: "light" });
const right = await enter(ben, { ...looks, colorScheme: "dark" });
const stage = await browser.newPage({ viewport: { width: 828, height: 586 }, deviceScaleFactor: SCALE });
await stage.setContent(`<style>
    body { display: flex; gap: 20px; margin: 0; padding: 12px 20px 20px; background: #b9c4d6; }
    figure { margin: 0; }
    figcaption { height: 34px; color: #1d2736; font: 600 16px/26px system-ui, sans-serif; text-align: center; }
    img { display: block; width: ${SIZE.width}px; height: ${SIZE.height}px; border-radius: 14px; }
  </style>
  <figure><figcaption>Anna</figcaption><img></figure>
  <figure><figcaption>Ben</figcaption><img></figure>`);

/** @type {Array<{picture: Picture, delay: number}>} */
const shots = [];

/** Shows what is in a window now. @param {Page} page @param {number} delay how long it stays, in milliseconds */
async function show(page, delay) {
  const png = (await page.screenshot()).toString("base64");
  await stage
    .locator("img")
    .nth(page === left ? 0 : 1)
    .evaluate(async (image, source) => {
      const shown = /** @type {HTMLImageElement} */ (image);
      shown.src = source;
      await shown.decode();
    }, `data:image/png;base64,${png}`);
  shots.push({ picture: decode(await stage.screenshot()), delay });
}

/** Two or three letters at a time: nobody sees the difference. @param {Page} page @param {string} text */
async function type(page, text) {
  for (const letters of text.match(/.{1,3}/gs) ?? []) {
    await page.locator("#composer").pressSequentially(letters);
    await show(page, 110);
  }
}

// Whatever was said before has been read.
await openChat(left, "Ben Clark");
await openChat(right, "Anna Petrova");
await left.locator(".ticks[title=Sent]").waitFor({ state: "detached" });
for (const page of [left, right]) {
  await page.getByRole("button", { name: "Back to chats" }).click();
  await page.mouse.move(0, 0);
}
await openChat(left, "Ben Clark");
await left.mouse.move(0, 0);
await left.locator(".who-header", { hasText: "online" }).waitFor();
await left.locator("#composer").focus();
await right.locator(".item", { hasText: "Anna Petrova" }).locator(".dot").waitFor();
await show(left, 0);
// What the right window shows is the first picture, and there is nothing before it.
await show(right, 900);
shots.shift();

await type(left, "The ");
await right.getByText("typing…").waitFor();
await show(right, 110);
await type(left, "early train, at 7:40?");
await left.locator("#composer").press("Enter");
await left.locator(".ticks[title=Sent]").waitFor();
await show(left, 150);
await right.locator(".badge").waitFor();
await show(right, 1_100);

await openChat(right, "Anna Petrova");
await right.mouse.move(0, 0);
await right.locator(".unread-line").waitFor();
await show(right, 350);
await left.locator(".ticks[title=Sent]").waitFor({ state: "detached" });
await show(left, 900);

await type(right, "Yes");
await left.locator(".who-header", { hasText: "typing…" }).waitFor();
await show(left, 110);
await type(right, ", I will bring coffee.");
await right.locator("#composer").press("Enter");
await right.locator(".pending").waitFor({ state: "detached" });
await left.locator(".text", { hasText: "coffee" }).waitFor();
await right.locator(".ticks[title=Sent]").waitFor({ state: "detached" });
await left.locator(".who-header", { hasText: "online" }).waitFor();
await show(right, 120);
await show(left, 2_800);

const file = new URL("../../../docs/talk.png", import.meta.url);
const png = encode(shots);
await writeFile(file, png);
console.log(`docs/talk.png: ${Math.round(png.length / 1000)} KB`);
await browser.close();
// The helpers belong to tests, whose report would follow here.
process.exit();
