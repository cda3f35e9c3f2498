// @ts-check

/** Measures pictures and makes small ones of them. */

/** What every browser shows. */
const PICTURES = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);
/** Larger pictures are sent as any other file. */
const MOST_PIXELS = 40_000_000;
const MOST_SIDE = 12_000;
const PREVIEW_SIDES = [32, 24, 16, 8];
const PREVIEW_LENGTH = 1_024;
const THUMB_SIDE = 96;
const PORTRAIT_SIDE = 512;

/**
 * @typedef {object} Measured
 * @property {number} width
 * @property {number} height
 * @property {string} [preview] in base64
 * @property {string} thumb an address
 */

/**
 * @param {ImageBitmap} bitmap @param {number} width @param {number} height
 * @param {[number, number, number, number]} [part] left, top, width and height of what is taken; all, if left out
 */
function scaled(bitmap, width, height, part = [0, 0, bitmap.width, bitmap.height]) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new Error("no canvas");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, ...part, 0, 0, width, height);
  return canvas;
}

/** The square in the middle. @param {ImageBitmap} bitmap @param {number} most its longest side */
function square(bitmap, most) {
  const side = Math.min(bitmap.width, bitmap.height);
  const small = Math.min(side, most);
  return scaled(bitmap, small, small, [(bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side]);
}

/** @param {ImageBitmap} bitmap @returns {string | undefined} undefined if it cannot be made small enough */
function previewOf(bitmap) {
  for (const side of PREVIEW_SIDES) {
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
    const [width, height] = [Math.round(bitmap.width * scale), Math.round(bitmap.height * scale)];
    const canvas = scaled(bitmap, Math.max(1, width), Math.max(1, height));
    for (const type of ["image/webp", "image/jpeg"]) {
      const [head, data] = canvas.toDataURL(type, 0.5).split(",");
      // A browser that cannot make a type makes a PNG.
      if (head === `data:${type};base64` && data && data.length <= PREVIEW_LENGTH) return data;
    }
  }
  return undefined;
}

/** @param {Blob} file @returns {Promise<Measured | null>} null unless it is a picture that browsers show */
export async function measure(file) {
  if (!PICTURES.has(file.type)) return null;
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return null;
  const { width, height } = bitmap;
  try {
    if (Math.max(width, height) > MOST_SIDE || width * height > MOST_PIXELS) return null;
    const preview = previewOf(bitmap);
    const thumb = square(bitmap, THUMB_SIDE).toDataURL("image/jpeg", 0.8);
    return { width, height, thumb, ...(preview ? { preview } : {}) };
  } finally {
    bitmap.close();
  }
}

/** @param {HTMLCanvasElement} canvas @param {string} type @returns {Promise<Blob | null>} */
const encoded = (canvas, type) => new Promise((resolve) => canvas.toBlob(resolve, type, 0.88));

/**
 * The middle of a picture, as a square that is good for a person or a group.
 * @param {Blob} file
 * @returns {Promise<{blob: Blob, side: number, preview: string | undefined}>}
 */
export async function portraitOf(file) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) throw Object.assign(new Error("not a picture"), { code: "not_a_picture" });
  try {
    const canvas = square(bitmap, PORTRAIT_SIDE);
    const webp = await encoded(canvas, "image/webp");
    const blob = webp?.type === "image/webp" ? webp : await encoded(canvas, "image/jpeg");
    if (!blob) throw Object.assign(new Error("not a picture"), { code: "not_a_picture" });
    return { blob, side: canvas.width, preview: previewOf(bitmap) };
  } finally {
    bitmap.close();
  }
}
