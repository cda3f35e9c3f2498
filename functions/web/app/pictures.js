// @ts-check
import { client } from "./store.js";

/**
 * Fills in pictures once they are in sight. `<img data-file=id>` says which file it shows, and is drawn without an
 * address: that is asked for here. What is drawn around it stands until then, and if it fails.
 */

/** A picture that could not be loaded is tried again after so long. */
const AGAIN_MS = 30_000;
/** Addresses that have shown a file. They do it again without a request, as long as the browser remembers. */
const shown = new Map();

/** @typedef {{id: string, failures: number, again: number}} Attempt */
/** @type {WeakMap<Element, Attempt>} */
const attempts = new WeakMap();

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    for (const image of target.querySelectorAll("img")) if (attempts.has(image)) void load(image);
  }
});

/** Call it after drawing. */
export function showPictures() {
  for (const image of /** @type {NodeListOf<HTMLImageElement>} */ (document.querySelectorAll("img[data-file]"))) {
    const id = String(image.dataset["file"]);
    const attempt = attempts.get(image);
    if (attempt?.id === id && Date.now() < attempt.again) continue;
    // The same element may have shown somebody else.
    if (attempt && attempt.id !== id) {
      image.removeAttribute("src");
      delete image.dataset["state"];
    }
    attempts.set(image, { id, failures: 0, again: Infinity });
    if (image.parentElement) observer.observe(image.parentElement);
  }
}

/** What one person saw is not shown to the next. */
export const forgetPictures = () => shown.clear();

/** @param {HTMLImageElement} image @param {boolean} [fresh] whether the last address did not work */
async function load(image, fresh = false) {
  const attempt = attempts.get(image);
  if (!attempt) return;
  try {
    const address = (fresh ? undefined : shown.get(attempt.id)) ?? (await client.files.link(attempt.id, { fresh }));
    if (attempts.get(image) === attempt) image.src = address;
  } catch {
    failed(image, attempt);
  }
}

/** @param {HTMLImageElement} image @param {Attempt} attempt */
function failed(image, attempt) {
  if (attempts.get(image) !== attempt) return;
  image.dataset["state"] = "failed";
  attempt.again = Date.now() + AGAIN_MS;
}

// These events do not bubble, but they can be caught on their way down.
document.addEventListener(
  "load",
  ({ target }) => {
    const image = /** @type {HTMLImageElement} */ (target);
    const attempt = attempts.get(image);
    if (!attempt) return;
    image.dataset["state"] = "loaded";
    shown.set(attempt.id, image.src);
  },
  true,
);
document.addEventListener(
  "error",
  ({ target }) => {
    const image = /** @type {HTMLImageElement} */ (target);
    const attempt = target instanceof Element ? attempts.get(image) : undefined;
    if (!attempt) return;
    shown.delete(attempt.id);
    // The link may have expired.
    if (++attempt.failures === 1) void load(image, true);
    else failed(image, attempt);
  },
  true,
);
