// @ts-check
// Makes pictures of every screen, light and dark, on a phone and on a desktop: best in a messenger with nobody in it.
//
//   WINDI_URL=http://localhost:3000 npm run screens [-- directory]

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { account, call, device, enter, goOffline, group, launch, login, open, openChat, send } from "./helpers.js";

/** @import {BrowserContext, Locator, Page} from "playwright-core" */

const usual = fileURLToPath(new URL("../../../target/screens", import.meta.url));
const directory = resolve(process.argv[2] ?? usual);
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const LONG =
  "We meet at the station at 7:20, under the big clock. The train leaves at 7:40 from platform 3.\n\n" +
  "What to bring:\n– something to drink\n– a warm jacket, because it is windy up there\n– the paper map";

/** How many days old a message is made to look, by its chat and id. @typedef {Map<string, number>} Ages */

/**
 * Makes messages look older than they are: what the server answers is changed on its way to the page.
 * @param {BrowserContext} context @param {Ages} ages
 */
async function age(context, ages) {
  await context.route(/\/(chats|messages)(\/|\?|$)/, async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const response = await route.fetch();
    const text = await response.text();
    /** @param {string} _ @param {any} value */
    const older = (_, value) => {
      const days = ages.get(`${value?.chat_id}/${value?.id}`);
      if (days === undefined || !value.timestamp) return value;
      return { ...value, timestamp: new Date(Date.parse(value.timestamp) - days * 86_400_000).toISOString() };
    };
    await route.fulfill({ response, body: text && JSON.stringify(JSON.parse(text, older)) });
  });
}

/** People, and what they have said. */
async function world() {
  const anna = await account("Anna Petrova");
  const ben = await account("Ben Clark");
  const chloe = await account("Chloé Martin");
  const dmitri = await account("Дмитрий Соколов");
  const ella = await account("Ella");
  const max = await account("Maximiliana Featherstonehaugh-Wolfeschlegelsteinhausen");
  /** @type {Ages} */
  const ages = new Map();
  const pair = async (/** @type {{token: string}} */ one, /** @type {{id: string}} */ two) =>
    (await call("POST", "/chats", one.token, { kind: "private", user_id: two.id })).id;

  await pair(anna, ella);
  const far = await pair(max, anna);
  await send(max.token, far, "Averyverylongwordwithoutanyspaces".repeat(4));
  const gone = await pair(dmitri, anna);
  await send(dmitri.token, gone, "Привет!");
  await call("DELETE", `/messages/${gone}/1`, dmitri.token);
  const flat = await group("Flat hunters of the northern districts and their friends", [ben, anna, chloe]);
  await send(ben.token, flat, "Has anybody seen the flat on Mill Street?");
  const crowd = await group("Hiking club", [chloe, anna, ben, dmitri]);
  for (let i = 1; i <= 60; i++) await send(i % 3 ? chloe.token : dmitri.token, crowd, `Hut number ${i} on the list`);

  const hills = await group("Weekend in the hills", [anna, ben, chloe, dmitri, max]);
  await call("PATCH", `/chats/${hills}/members/${ben.id}`, anna.token, { role: "admin" });
  await send(chloe.token, hills, "Who has the tent?");
  await send(ben.token, hills, "Me");
  await send(ben.token, hills, "And the stove too. It is old, but it works.");
  await send(anna.token, hills, LONG);
  await send(dmitri.token, hills, "Я возьму карту и компас.");
  await send(max.token, hills, "Perfect. See you at the station!");
  await send(chloe.token, hills, "שלום, נתראה בתחנה!");
  ages.set(`${hills}/1`, 1);

  const chat = await pair(anna, ben);
  const said = [
    ["ben", "Do you still have my red scarf?"],
    ["anna", "Yes, it is here. I will bring it on Saturday."],
    ["anna", "Did you see the forecast?"],
    ["ben", "Yes, sunny on Saturday: https://example.com/forecast/hills?day=saturday&units=metric#wind"],
    ["anna", LONG],
    ["ben", "Wrong chat, sorry."],
    ["ben", "I will bring coffee."],
    ["anna", "Oops."],
    ["ben", "😀👍"],
    ["anna", "Averyverylongwordwithoutanyspaces".repeat(4)],
    ["ben", "Hm, what was that?"],
    ["ben", "Never mind. Did you lock the bike?"],
  ];
  for (const [who, text] of said) await send(who === "ben" ? ben.token : anna.token, chat, String(text));
  await call("PATCH", `/messages/${chat}/7`, ben.token, { text: "I will bring coffee. And tea for Chloé." });
  await call("PATCH", `/messages/${chat}/5`, anna.token, { text: `${LONG}!` });
  await call("DELETE", `/messages/${chat}/6`, ben.token);
  await call("DELETE", `/messages/${chat}/8`, anna.token);
  for (const id of [1, 2]) ages.set(`${chat}/${id}`, 400);
  for (const id of [3, 4]) ages.set(`${chat}/${id}`, 12);
  for (const id of [5, 6, 7, 8]) ages.set(`${chat}/${id}`, 1);
  return { anna, ben, chloe, ella, ages, chat, flat };
}

/**
 * @param {string} size @param {{width: number, height: number}} viewport @param {'light' | 'dark'} colorScheme
 */
async function variant(size, viewport, colorScheme) {
  const phone = size === "phone";
  const options = { viewport, colorScheme, hasTouch: phone, isMobile: phone };
  const { anna, ben, chloe, ella, ages, chat, flat } = await world();
  let count = 0;
  /** @param {Page} page @param {string} name */
  const shot = async (page, name) => {
    const path = join(directory, `${size}-${colorScheme}`, `${String(++count).padStart(2, "0")}-${name}.png`);
    await page.locator("#icon-plus").waitFor({ state: "attached" });
    await page.evaluate(() => Promise.all([...document.images].map((image) => image.decode().catch(() => {}))));
    // A search hit is marked by an animation, which is over too soon to be seen at its end.
    await page.screenshot({ path, animations: name === "search-hit" ? "allow" : "disabled" });
  };
  /** Clicks, and waits for what that opens. @param {Locator} button @param {string} selector @param {string} name */
  const opens = async (button, selector, name) => {
    const page = button.page();
    await button.click();
    await page.locator(selector).first().waitFor();
    await shot(page, name);
  };
  /** @param {Page} page closes the topmost dialog */
  const close = async (page) => {
    const before = await page.locator("dialog").count();
    await page.locator("dialog").last().getByRole("button", { name: "Close" }).click();
    await page.locator("dialog").nth(before - 1).waitFor({ state: "detached" });
  };
  /** A dialog that is looked at and closed. @param {Locator} button @param {string} selector @param {string} name */
  const glance = async (button, selector, name) => {
    await opens(button, selector, name);
    await close(button.page());
  };
  /** @param {Page} page */
  const back = async (page) => {
    if (phone) await page.getByRole("button", { name: "Back to chats" }).click();
  };
  /** @param {Page} page @param {string} text */
  const say = async (page, text) => {
    await page.locator("#composer").fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  };

  // Nobody is logged in.
  const entry = await open(await device(options));
  await shot(entry, "login");
  await entry.getByLabel("Username or e-mail").fill(anna.username);
  await entry.getByLabel("Password").fill("not the password");
  await entry.getByRole("button", { name: "Log in" }).click();
  await entry.getByText("Wrong username, e-mail or password.").waitFor();
  await shot(entry, "login-wrong");
  await entry.getByRole("button", { name: "Create an account" }).click();
  await shot(entry, "register");
  for (const [label, value] of Object.entries({ Name: "Ann", "E-mail": "ann", Username: "a", Password: "1" })) {
    await entry.getByLabel(label, { exact: true }).fill(value);
  }
  await opens(entry.getByRole("button", { name: "Create account" }), ".field .error", "register-wrong");
  await entry.getByLabel("E-mail", { exact: true }).fill("ann@example.com");
  for (const label of ["Username", "Password"]) await entry.getByLabel(label, { exact: true }).fill("ann45678");
  await entry.context().setOffline(true);
  await entry.getByRole("button", { name: "Create account" }).click();
  await entry.getByText("There is no connection").waitFor();
  await shot(entry, "register-offline");
  await entry.context().close();

  // Somebody new.
  const fresh = await enter(await account("Benedict Moore"), options);
  await fresh.getByText("No chats yet").waitFor();
  await shot(fresh, "list-empty");
  await opens(fresh.getByRole("button", { name: "New chat" }).first(), "dialog.new", "new-chat-empty");
  await fresh.context().close();

  // Chats.
  const other = await enter(ben);
  await openChat(other, "Anna Petrova");
  const context = await device(options);
  await age(context, ages);
  const page = await open(context);
  await login(page, anna.username);
  await page.locator(".badge").nth(2).waitFor();
  await openChat(page, "Ella");
  await page.getByText("Say hello.").waitFor();
  await shot(page, "conversation-empty");
  await page.locator("#composer").fill("Happy birthday, dear Ella, and many more");
  await back(page);
  await openChat(page, "Flat hunters");
  await page.locator(".unread-line").waitFor();
  await back(page);
  if (!phone) await page.keyboard.press("Escape");
  await page.locator(".sidebar", { hasText: "Draft:" }).waitFor();
  await shot(page, "list");
  await other.locator("#composer").pressSequentially("Wait");
  await page.locator(".sidebar", { hasText: "typing…" }).waitFor();
  await shot(page, "list-typing");
  await other.locator("#composer").fill("");

  // A conversation of two.
  await openChat(page, "Ben Clark");
  await page.locator(".unread-line").waitFor();
  await shot(page, "private-unread");
  await say(page, "Yes, with both locks.");
  await page.locator(".message", { hasText: "both locks" }).locator(".ticks[title=Read]").waitFor();
  await other.context().close();
  await page.locator(".who-header", { hasText: "last seen" }).waitFor();
  await say(page, "Sleep well!");
  await page.locator(".ticks[title=Sent]").last().waitFor();
  await shot(page, "private");
  await page.locator("#messages").evaluate((list) => (list.scrollTop = 0));
  await page.locator(".to-newest").waitFor();
  await shot(page, "private-beginning");
  await page.locator(".to-newest").click();
  await page.locator(".to-newest").waitFor({ state: "detached" });
  await page.locator("#composer").fill(LONG);
  await shot(page, "private-writing");
  await page.locator("#composer").fill("");
  const mine = page.locator(".message.mine .bubble").last();
  const menu = async () => {
    await (phone ? mine.tap() : mine.click({ button: "right" }));
    await page.getByRole("menuitem").first().waitFor();
  };
  await menu();
  await shot(page, "message-menu");
  await opens(page.getByRole("menuitem", { name: "Copy text" }), ".toast", "toast");
  await page.locator(".toast").waitFor({ state: "detached" });
  await menu();
  await glance(page.getByRole("menuitem", { name: "Delete" }), "dialog.confirm", "delete-message");
  await menu();
  await opens(page.getByRole("menuitem", { name: "Edit" }), ".editing", "editing");
  await page.getByRole("button", { name: "Cancel" }).click();
  await glance(page.locator(".who-header"), "dialog.info", "person");
  await back(page);

  // A group.
  await openChat(page, "Weekend in the hills");
  await page.locator(".unread-line").waitFor();
  await shot(page, "group-unread");
  await say(page, "See you!");
  await page.locator(".ticks[title=Sent]").last().waitFor();
  await shot(page, "group");
  await menu();
  await glance(page.getByRole("menuitem", { name: "Who has read it" }), "dialog.readers", "readers-nobody");
  const reader = await enter(chloe);
  await openChat(reader, "Weekend in the hills");
  await page.locator(".message", { hasText: "See you!" }).locator(".ticks[title=Read]").waitFor();
  await menu();
  await glance(page.getByRole("menuitem", { name: "Who has read it" }), "dialog.readers", "readers");
  await page.locator(".who-header").click();
  const info = page.locator("dialog.info");
  await info.getByText("Chloé Martin").waitFor();
  await shot(page, "group-info");
  await info.getByRole("button", { name: "Actions for Chloé Martin" }).click();
  await page.getByRole("menuitem").first().waitFor();
  await shot(page, "member-menu");
  await glance(page.getByRole("menuitem", { name: "Make owner" }), "dialog.confirm", "make-owner");
  await info.getByRole("button", { name: "Actions for Chloé Martin" }).click();
  await glance(page.getByRole("menuitem", { name: "Remove from the group" }), "dialog.confirm", "remove-member");
  await opens(info.getByRole("button", { name: "Edit the group" }), "dialog.rename", "rename");
  await page.locator("dialog.rename #rename-name").fill("");
  await glance(page.getByRole("button", { name: "Save" }), "dialog.rename .error", "rename-wrong");
  await info.getByRole("button", { name: "Add people" }).click();
  await page.locator("dialog.add").getByLabel("Name or username").fill("ell");
  await page.locator("dialog.add .people .item").first().waitFor();
  await shot(page, "add-people");
  await close(page);
  await glance(info.getByRole("button", { name: "Leave the group" }), "dialog.confirm", "leave-group");
  await close(page);
  await back(page);

  // Finding people.
  await page.getByRole("button", { name: "New chat" }).click();
  await page.locator("dialog.new").getByLabel("Name or username").fill("ben");
  await page.locator("dialog.new .people .item").first().waitFor();
  await shot(page, "new-chat");
  await page.locator("dialog.new").getByLabel("Name or username").fill("nobody has this name");
  await page.locator("dialog.new").getByText("Nothing found.").waitFor();
  await shot(page, "new-chat-nothing");
  await opens(page.getByRole("button", { name: "New group" }), "dialog.group", "new-group-empty");
  const making = page.locator("dialog.group");
  for (const name of [ben.username, chloe.username, ella.username, "maxi"]) {
    await making.getByLabel("Add people").fill(name);
    // Until the answer comes, whoever was found last is still there.
    const person = name === "maxi" ? "Maximiliana" : name;
    await making.locator(".people .item", { hasText: person }).first().click();
  }
  await shot(page, "new-group");
  await glance(making.getByRole("button", { name: "Create group" }), ".error", "new-group-wrong");
  await close(page);

  // Settings.
  const elsewhere = await enter(anna, {
    userAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5; rv:140.0) Gecko/20100101 Firefox/140.0",
  });
  await page.getByRole("button", { name: "Settings" }).click();
  await page.locator(".sessions li").nth(2).waitFor();
  await shot(page, "settings");
  await glance(page.getByRole("button", { name: "Log out all other devices" }), "dialog.confirm", "log-out-others");
  await glance(page.locator("dialog").getByRole("button", { name: "Log out" }).first(), "dialog.confirm", "log-out");
  const password = page.locator("dialog.password");
  await opens(page.getByRole("button", { name: "Change password" }), "dialog.password", "change-password");
  await password.getByLabel("Current password").fill("not it");
  await password.getByLabel("New password").fill("1");
  await glance(password.getByRole("button", { name: "Change password" }), ".field .error", "change-password-wrong");
  await close(page);
  await elsewhere.context().close();

  // Searching.
  await page.locator("#search").fill("ben");
  await page.locator(".sidebar section").nth(1).waitFor();
  await page.locator(".sidebar [aria-busy=false]").waitFor();
  await shot(page, "search-people");
  await page.locator("#search").fill("station");
  await page.locator(".sidebar button.item", { hasText: "station" }).first().waitFor();
  await shot(page, "search-messages");
  await page.locator("#search").fill("nothing like this");
  await page.getByText("Nothing found.").waitFor();
  await shot(page, "search-nothing");
  await page.getByRole("button", { name: "Clear search" }).click();
  await openChat(page, "Hiking club");
  await page.locator(".to-newest").waitFor();
  await shot(page, "many-unread");
  await page.getByRole("button", { name: "Search in this chat" }).click();
  await page.locator("#search").fill("number 31");
  await page.locator(".sidebar button.item").first().waitFor();
  await shot(page, "search-in-chat");
  await opens(page.locator(".sidebar button.item").first(), ".message.marked", "search-hit");
  await back(page);
  await page.getByRole("button", { name: "Clear search" }).click();

  // What goes wrong.
  await openChat(page, "Ben Clark");
  await page.locator("#composer").fill("x".repeat(4_097));
  await opens(page.getByRole("button", { name: "Send" }), ".toast.error", "toast-error");
  await page.evaluate((id) => {
    // The server does not know the chat this message is for.
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      send.call(this, String(data).includes("refused") ? String(data).replace(id, crypto.randomUUID()) : data);
    };
  }, chat);
  await page.locator("#composer").fill("");
  await say(page, "This one is refused, and nobody but me can see it.");
  await page.locator(".failure").waitFor();
  await page.locator(".toast").waitFor({ state: "detached" });
  await shot(page, "failed-message");
  await goOffline(page);
  await page.getByRole("button", { name: "Discard" }).click();
  await say(page, "Written in a tunnel.");
  await page.locator(".ticks[title=Sending]").waitFor();
  await page.locator(".who-header", { hasText: "No connection" }).waitFor();
  await shot(page, "offline");
  await back(page);
  await page.locator(".bar.warning").waitFor();
  await shot(page, "offline-list");
  await page.context().setOffline(false);
  await page.locator(".bar").waitFor({ state: "detached" });
  await page.goto(`${page.url().split("#")[0]}#/chat/${crypto.randomUUID()}`);
  await page.getByText("There is no such chat").waitFor();
  await shot(page, "chat-not-found");
  await back(page).catch(() => page.goto(`${page.url().split("#")[0]}#/`));
  await openChat(page, "Flat hunters");
  await call("DELETE", `/chats/${flat}/members/${anna.id}`, ben.token);
  await page.locator(".toast").waitFor();
  await shot(page, "removed-from-group");

  // A socket that is never opened, and one that is one too many.
  await page.context().routeWebSocket(/\/ws$/, () => new Promise(() => {}));
  await page.reload();
  await page.locator(".bar", { hasText: "Connecting…" }).waitFor();
  await shot(page, "connecting");
  await page.context().routeWebSocket(/\/ws$/, (socket) => {
    setTimeout(() => {
      socket.send(JSON.stringify({ type: "error", data: { code: "too_many_connections" } }));
      void socket.close();
    }, 100);
  });
  await page.reload();
  await page.locator(".bar", { hasText: "too many devices" }).waitFor();
  await shot(page, "displaced");
  const { sessions, current } = await call("GET", "/auth/sessions", anna.token);
  for (const { id } of sessions) if (id !== current) await call("DELETE", `/auth/sessions/${id}`, anna.token);
  await page.reload();
  await page.getByText("Your session has ended.").waitFor();
  await shot(page, "session-ended");
  await page.context().close();
  await reader.context().close();
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    await mkdir(join(directory, `${size}-${colorScheme}`), { recursive: true });
    await variant(size, viewport, colorScheme);
    console.log(`${size}, ${colorScheme}: done`);
  }
}
console.log(directory);
await (await launch()).close();
// The helpers belong to tests, whose report would follow here.
process.exit();
