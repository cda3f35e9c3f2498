// @ts-check
import { test } from "node:test";
import { device, origin, until } from "./helpers.js";

for (const [what, file] of [
  ["a module", /client\/outbox\.js$/],
  ["the styles", /style\.css$/],
  ["the page's own module", /\/app\.js$/],
  ["the icons", /icons\.svg$/],
]) {
  test(`a page for which ${what} could not be fetched gets it by itself`, async () => {
    const context = await device();
    let lost = 0;
    // As when the network changes while the page loads.
    await context.route(/** @type {RegExp} */ (file), (route) => {
      return lost++ < 2 ? route.abort("failed") : route.continue();
    });
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    await until(async () => lost > 2, "the file is asked for until it is there");
    await page.waitForSelector("form");
    await page.waitForFunction(() => {
      const styled = getComputedStyle(document.body).margin === "0px";
      return styled && document.querySelector("[id^=icon-]") && sessionStorage.getItem("windi.loads") === null;
    });
    await context.close();
  });
}
