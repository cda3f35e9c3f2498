// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  account,
  call,
  device,
  enter,
  goOffline,
  group,
  login,
  open,
  openChat,
  send,
  until,
  write,
} from "./helpers.js";

/** @import {Locator, Page} from "playwright-core" */

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** @param {Locator} locator */
async function box(locator) {
  const found = await locator.boundingBox();
  assert.ok(found, `${locator} is drawn`);
  return { ...found, right: found.x + found.width, bottom: found.y + found.height };
}

/** The place with the focus. @param {Page} page */
const focused = (page) => page.evaluate(() => document.activeElement?.id);

/** Sends what the server refuses. @param {Page} page */
async function fail(page) {
  await page.evaluate(() => {
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      const frame = JSON.parse(String(data));
      if (frame.action === "sendMessage") frame.data.chat_id = crypto.randomUUID();
      send.call(this, JSON.stringify(frame));
    };
  });
  await page.locator("#composer").fill("refused");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".failure").waitFor();
}

test("a form to register has the focus, and tells all its faults at once", async () => {
  const page = await open(await device());
  await page.getByRole("button", { name: "Create an account" }).click();
  await until(async () => (await focused(page)) === "f-name", "the first field has the focus");
  await page.getByLabel("Username").fill("a");
  await page.getByRole("button", { name: "Create account" }).click();
  const errors = page.locator(".field .error");
  await errors.nth(3).waitFor();
  assert.deepEqual(await errors.allInnerTexts(), [
    "Enter a name of 1 to 100 characters.",
    "Enter a valid e-mail address.",
    "Use 3 to 32 characters: a–z, 0–9, _ . -",
    "Use 8 to 256 characters.",
  ]);
  await page.getByRole("button", { name: "Log in" }).click();
  await until(async () => (await focused(page)) === "f-login", "the first field has the focus again");
  assert.equal(await errors.count(), 0);
  assert.deepEqual(page.errors, []);
});

test("the logo is there with the form, and is not loaded in vain", async () => {
  const page = await open(await device());
  const [logo] = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter(({ name }) => name.endsWith("/icon.svg"))
      .map((entry) => /** @type {PerformanceResourceTiming} */ (entry).initiatorType),
  );
  assert.equal(logo, "link", "it is asked for by the page itself, not only once its scripts have run");
  /** @type {string[]} */
  const warnings = [];
  page.on("console", (message) => warnings.push(message.text()));
  await login(page, (await account("Ann")).username);
  await page.reload();
  // A browser complains after a few seconds.
  await page.waitForTimeout(6_000);
  assert.deepEqual(
    warnings.filter((text) => text.includes("preload")),
    [],
  );
});

test("an empty list leads to a new chat, and a new group begins with its name", async () => {
  const ann = await account("Ann");
  const page = await enter(ann);
  await page.locator(".empty").getByRole("button", { name: "New chat" }).click();
  await page.getByRole("button", { name: "New group" }).click();
  const dialog = page.locator("dialog.group");
  await until(async () => (await focused(page)) === "group-name", "the name has the focus");
  const button = await box(dialog.locator(".buttons button"));
  const frame = await box(dialog);
  assert.ok(frame.bottom - button.bottom < 30, "the button is at the lower edge");

  // Rows are scrolled below the button, not through it.
  for (let i = 0; i < 12; i++) await account(`Zebulon ${i}`);
  await dialog.getByLabel("Add people").fill("zebulon");
  await dialog.locator(".people .item").nth(11).waitFor();
  const again = await box(dialog.locator(".buttons button"));
  const whole = await box(dialog);
  assert.ok(whole.bottom - again.bottom < 30, "it stays there");
  const under = await dialog.locator(".buttons").evaluate((row) => {
    const { left, top } = row.getBoundingClientRect();
    return document.elementFromPoint(left + 20, top + 20) === row && getComputedStyle(row).backgroundColor;
  });
  assert.equal(under, await dialog.evaluate((element) => getComputedStyle(element).backgroundColor));
  assert.deepEqual(page.errors, []);
});

for (const [size, options] of Object.entries({ phone, desktop: {} })) {
  test(`a toast hides neither the newest message nor what is being written on a ${size}`, async () => {
    const [ann, ben] = [await account("Ann"), await account("Ben")];
    const chat = await group("Toasts", [ann, ben]);
    for (let i = 0; i < 30; i++) await send(ben.token, chat, `message ${i}`);
    const page = await enter(ann, options);
    await openChat(page, "Toasts");
    await page.locator("#composer").fill("x".repeat(4_097));
    await page.getByRole("button", { name: "Send" }).click();
    const toast = await box(page.locator(".toast"));
    const [composer, header] = [await box(page.locator(".composer")), await box(page.locator(".conversation > .top"))];
    assert.ok(toast.bottom < composer.y - 200, "it is far from the field");
    assert.ok(toast.y >= header.bottom, "the header is free");
    const middle = header.x + header.width / 2;
    assert.ok(Math.abs(toast.x + toast.width / 2 - middle) < 2, "it is in the middle of the conversation");
  });
}

test("on a phone, short things stand in one line", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  await group("Lines", [ann, ben]);
  const page = await enter(ann, phone);
  await openChat(page, "Lines");
  await page.locator(".who-header").click();
  await page.getByRole("button", { name: "Actions for Ben" }).click();
  await page.getByRole("menuitem", { name: "Remove from the group" }).click();
  const remove = await box(page.locator("dialog.confirm").getByRole("button", { name: "Remove", exact: true }));
  assert.ok(remove.height < 50, `a button is ${remove.height} pixels high`);
  await page.keyboard.press("Escape");
  await page.locator("dialog.confirm").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await fail(page);
  const [retry, discard] = [
    await box(page.getByRole("button", { name: "Try again" })),
    await box(page.getByRole("button", { name: "Discard" })),
  ];
  assert.equal(retry.y, discard.y);
  assert.ok(discard.x >= retry.right);
  await page.getByRole("button", { name: "Back to chats" }).click();
  assert.equal(await page.locator("a.item .preview .who").innerText(), "You:");
  await openChat(page, "Lines");
  await page.getByRole("button", { name: "Discard" }).click();
  await page.locator(".failure").waitFor({ state: "detached" });
  assert.equal(await page.locator("#composer").inputValue(), "refused");
});

for (const [locale, button] of Object.entries({ "en-GB": "Try now", "ru-RU": "Повторить" })) {
  test(`the bar without a connection is one line of ${locale} on a phone`, async () => {
    const ann = await account("Ann");
    const page = await open(await device({ ...phone, locale }));
    await page.locator("input[name=login]").fill(ann.username);
    await page.locator("input[name=password]").fill("password123");
    await page.keyboard.press("Enter");
    await page.locator(".sidebar").waitFor();
    await goOffline(page);
    await page.getByRole("button", { name: button }).waitFor();
    // Two digits are as many as there can be.
    const text = page.locator(".bar span[aria-hidden]");
    await until(async () => /\d/.test(await text.innerText()), "the seconds are counted");
    await text.evaluate((element) => (element.textContent = String(element.textContent).replace(/\d+/, "30")));
    const bar = await box(page.locator(".bar.warning"));
    assert.ok(bar.height < 50, `it is ${bar.height} pixels high`);
  });
}

test("the roles in a group stand below each other", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Roles", [ann, ben]);
  await call("PATCH", `/chats/${chat}/members/${ben.id}`, ann.token, { role: "admin" });
  const page = await enter(ann);
  await openChat(page, "Roles");
  await page.locator(".who-header").click();
  const roles = page.locator("dialog .role");
  await roles.nth(1).waitFor();
  const [mine, other] = [await box(roles.nth(0)), await box(roles.nth(1))];
  assert.ok(Math.abs(mine.right - other.right) < 1, `${mine.right} and ${other.right}`);
});

test("there is a way back to the chats only where they are not in sight", async () => {
  const ann = await account("Ann");
  for (const [options, visible] of /** @type {Array<[any, boolean]>} */ ([
    [{}, false],
    [phone, true],
  ])) {
    const page = await enter(ann, options);
    await page.evaluate(() => (location.hash = `#/chat/${crypto.randomUUID()}`));
    await page.getByText("There is no such chat").waitFor();
    assert.equal(await page.getByRole("button", { name: "Back to chats" }).isVisible(), visible);
  }
});

test("a hit is outlined above its neighbours, and below what floats", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  const chat = await group("Outlined", [ann, ben]);
  for (let i = 1; i <= 40; i++) await send(ben.token, chat, i === 20 ? "needle" : `straw ${i}`);
  const page = await enter(ann);
  await openChat(page, "Outlined");
  await page.locator("#search").fill("needle");
  await page.locator(".sidebar button.item", { hasText: "needle" }).click();
  const hit = page.locator(".message.marked .bubble");
  await hit.waitFor();
  assert.equal(await hit.evaluate((bubble) => getComputedStyle(bubble).zIndex), "1");
  assert.equal(await page.locator("#messages").evaluate((list) => getComputedStyle(list).isolation), "isolate");
});

test("buttons and hovered rows stand out from a dark dialog", async () => {
  const ann = await account("Ann");
  const page = await enter(ann, { colorScheme: "dark" });
  await page.getByRole("button", { name: "Settings" }).click();
  await page.locator(".sessions li").first().waitFor();
  const light = (/** @type {Locator} */ locator) =>
    locator.evaluate((element) => {
      const parts = getComputedStyle(element).backgroundColor.match(/\d+/g) ?? [];
      return parts.slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
    });
  const ground = await light(page.locator("dialog"));
  assert.ok((await light(page.locator("dialog .avatar.plain").first())) - ground > 10);
  const row = page.locator("dialog button.item").first();
  await row.hover();
  assert.ok((await light(row)) - ground > 10);
  await page.locator("dialog button.item.danger-text").first().click();
  assert.ok((await light(page.locator("dialog.confirm .quiet"))) - ground > 10);
});

test("an address is not broken in the settings", async () => {
  const ann = await account("Ann");
  const page = await enter(ann, phone);
  await page.getByRole("button", { name: "Settings" }).click();
  const lines = page.locator("dialog .profile .faint");
  await lines.nth(1).waitFor();
  assert.deepEqual(await lines.allInnerTexts(), [`@${ann.username}`, `${ann.username}@example.com`]);
  assert.ok((await box(lines.nth(1))).height < 30);
});

test("a message on its way is told as one's own in the list", async () => {
  const [ann, ben] = [await account("Ann"), await account("Ben")];
  await group("Waiting", [ann, ben]);
  const page = await enter(ann);
  await openChat(page, "Waiting");
  await goOffline(page);
  await page.locator(".bar").waitFor();
  await write(page, "on its way");
  await page.locator("a.item .preview .who", { hasText: "You:" }).waitFor();
});
