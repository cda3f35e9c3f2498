// @ts-check
// Pictures and other files for the tests, and how they get into a chat.
import { crc32, deflateSync } from "node:zlib";
import { call, origin } from "./helpers.js";

/** @import {Page} from "playwright-core" */

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/**
 * A picture of a sun above hills, more or less.
 * @param {number} width @param {number} height @param {[number, number, number]} [sky]
 */
export function png(width, height, sky = [92, 150, 214]) {
  const rows = [];
  for (let y = 0; y < height; y++) {
    const row = Buffer.alloc(1 + 3 * width);
    for (let x = 0; x < width; x++) {
      const hill = y > height * (0.68 + 0.12 * Math.sin((7 * x) / width));
      const sun = Math.hypot(x - width * 0.7, y - height * 0.3) < Math.min(width, height) * 0.14;
      const colour = hill ? [58, 122, 74] : sun ? [250, 214, 92] : sky.map((part) => part - (40 * y) / height);
      row.set(colour, 1 + 3 * x);
    }
    rows.push(row);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const parts = [chunk("IHDR", head), chunk("IDAT", deflateSync(Buffer.concat(rows))), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), ...parts]);
}

/**
 * Uploads a file by the API. A picture has a width and a height.
 * @param {string} token @param {string} name @param {string} content_type @param {Buffer} bytes
 * @param {{width: number, height: number}} [shape]
 * @returns {Promise<string>} its id
 */
export async function upload(token, name, content_type, bytes, shape) {
  const about = { name, content_type, size: bytes.length, ...shape };
  const { file, upload: way } = await call("POST", "/files", token, about);
  const body = new Uint8Array(bytes);
  const response = await fetch(new URL(way.url, `${origin}/`), { method: way.method, headers: way.headers, body });
  if (!response.ok) throw new Error(`${way.method} ${way.url}: ${response.status} ${await response.text()}`);
  await call("POST", `/files/${file.id}/done`, token);
  return file.id;
}

/** A picture by the API. @param {string} token @param {number} width @param {number} height @param {string} [name] */
export const uploadPicture = (token, width, height, name = "hills.png") =>
  upload(token, name, "image/png", png(width, height), { width, height });

/** Files for a page to choose. @param {string} name @param {Buffer} buffer @param {string} [mimeType] */
export const chosen = (name, buffer, mimeType = "image/png") => ({ name, mimeType, buffer });

/** Chooses files in the open chat. @param {Page} page @param {ReturnType<typeof chosen>[]} files */
export const attach = (page, ...files) => page.locator("#attach").setInputFiles(files);

/**
 * Files as a page gets them from outside: by a paste or a drop.
 * @param {Page} page @param {string} selector @param {"paste" | "drop" | "dragover"} type
 * @param {ReturnType<typeof chosen>[]} files
 */
export async function give(page, selector, type, ...files) {
  const plain = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, text: buffer.toString("base64") }));
  await page.locator(selector).evaluate(
    (element, { type, plain }) => {
      const data = new DataTransfer();
      for (const { name, mimeType, text } of plain) {
        const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
        data.items.add(new File([bytes], name, { type: mimeType }));
      }
      const options = { bubbles: true, cancelable: true };
      const event =
        type === "paste"
          ? new ClipboardEvent(type, { ...options, clipboardData: data })
          : new DragEvent(type, { ...options, dataTransfer: data });
      element.dispatchEvent(event);
    },
    { type, plain },
  );
}

/** Waits until a picture has been loaded, and is what it should be. @param {Page} page @param {string} selector */
export const loaded = (page, selector) => page.locator(`${selector} img[data-state="loaded"]`).first().waitFor();
