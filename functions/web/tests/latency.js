// @ts-check
// Measures, against a messenger on the same machine, how long a message takes from one window to another, and what a
// first visit costs.
//
//   WINDI_URL=http://localhost:3000 npm run latency

import { cpus, loadavg } from "node:os";
import { account, call, enter, launch, openChat, origin } from "./helpers.js";

const MESSAGES = 100;
/** Sent before the first one that counts, when scripts have been compiled and caches filled. */
const WARM_UP = 5;
const VISITS = 10;

/** @param {number[]} values @param {number} share such as 0.5 for the median */
function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

/**
 * From the Enter key in one window to the text in the document of the other, in milliseconds. The clocks of both count
 * from the same wall clock of one machine.
 * @returns {Promise<number[]>}
 */
async function messages() {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  await call("POST", "/chats", ann.token, { kind: "private", user_id: ben.id });
  const [from, to] = [await enter(ann), await enter(ben)];
  await openChat(from, "Ben");
  await openChat(to, "Ann");
  await from.locator(".who-header", { hasText: "online" }).waitFor();
  await from.evaluate(() => {
    const note = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter") /** @type {any} */ (window).pressed = performance.timeOrigin + event.timeStamp;
    };
    addEventListener("keydown", note, true);
  });
  /** @type {number[]} */
  const times = [];
  for (let i = 0; i < WARM_UP + MESSAGES; i++) {
    const text = `message ${i}.`;
    await from.locator("#composer").fill(text);
    const seen = to.evaluate(
      (wanted) =>
        new Promise((/** @type {(at: number) => void} */ resolve) => {
          const list = /** @type {HTMLElement} */ (document.getElementById("messages"));
          new MutationObserver((_, observer) => {
            const last = [...list.querySelectorAll(".message .text")].at(-1);
            if (last?.textContent !== wanted) return;
            resolve(performance.timeOrigin + performance.now());
            observer.disconnect();
          }).observe(list, { childList: true, subtree: true, characterData: true });
        }),
      text,
    );
    // The observer is there before the key is pressed.
    await to.evaluate(() => 0);
    await from.locator("#composer").press("Enter");
    const arrived = await seen;
    const pressed = await from.evaluate(() => /** @type {any} */ (window).pressed);
    if (i >= WARM_UP) times.push(arrived - pressed);
  }
  await from.context().close();
  await to.context().close();
  return times;
}

/** One visit with nothing cached. */
async function visit() {
  const context = await (await launch()).newContext({ locale: "en-GB" });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  let [bytes, responses] = [0, 0];
  session.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    responses++;
  });
  await session.send("Network.enable");
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      const input = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=login]"));
      if (!input || input.disabled || !input.checkVisibility()) return;
      /** @type {any} */ (window).usable = performance.now();
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true, attributes: true });
  });
  await page.goto(`${origin}/`, { waitUntil: "networkidle" });
  await page.locator("input[name=login]").waitFor();
  const usable = await page.evaluate(() => /** @type {number} */ (/** @type {any} */ (window).usable));
  const painted = await page.evaluate(
    () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
  );
  await context.close();
  return { bytes, responses, usable, painted };
}

const page = await fetch(`${origin}/`);
if (!page.ok) throw new Error(`${origin} does not serve the page: ${page.status}`);
const load = loadavg()[0] ?? NaN;
const times = await messages();
/** @type {Array<Awaited<ReturnType<typeof visit>>>} */
const visits = [];
for (let i = 0; i < VISITS; i++) visits.push(await visit());
const median = (/** @type {(visit: typeof visits[number]) => number} */ of) => quantile(visits.map(of), 0.5);
const ms = (/** @type {number} */ value) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
const rows = {
  [`Enter to the other window, median of ${MESSAGES}`]: ms(quantile(times, 0.5)),
  "Enter to the other window, p95": ms(quantile(times, 0.95)),
  [`First visit to a usable form, median of ${VISITS}`]: ms(median(({ usable }) => usable)),
  "First visit to the first paint, median": ms(median(({ painted }) => painted)),
  "First visit, bytes with headers": `${(median(({ bytes }) => bytes) / 1000).toFixed(1)} KB`,
  "First visit, responses": String(median(({ responses }) => responses)),
  "Load average before and after": `${load.toFixed(2)}, ${loadavg()[0]?.toFixed(2)} on ${cpus().length} processors`,
};
for (const [name, value] of Object.entries(rows)) console.log(`${name.padEnd(46)} ${value}`);
await (await launch()).close();
// The helpers belong to tests, whose report would follow here.
process.exit();
