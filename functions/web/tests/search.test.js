// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { excerpt } from "../app/excerpt.js";
import { account, call, enter, group, openChat, send, until } from "./helpers.js";

/** The parts with the marked words in brackets. @param {string} text @param {string} query */
const marked = (text, query) =>
  excerpt(text, query)
    .map((part, index) => (index % 2 ? `[${part}]` : part))
    .join("");

test("an excerpt marks what was searched for", () => {
  assert.equal(marked("We meet at the Station", "station"), "We meet at the [Station]");
  assert.equal(marked("two cities, one walk", "city walking"), "two [cities], one [walk]");
  assert.equal(marked("Возьму карту и компас", "карта"), "Возьму [карту] и компас");
  assert.equal(marked("tea or coffee", "tea or milk"), "[tea] [or] coffee");
  assert.equal(marked("in 2026, not in 2025; a statue", "2026 station"), "in [2026], not in 2025; a statue");
  assert.equal(marked("cafe\u0301", "caf\u00e9"), "[cafe\u0301]");
  assert.equal(marked("<b>bold</b>", "b"), "<[b]>[bold]</[b]>");
  assert.equal(marked("Ёлка и ель", "елк"), "[Ёлка] и ель");
  assert.equal(marked("in a theatre", "thea"), "in a [theatre]");
  assert.equal(marked("nothing here", '"…"'), "nothing here");
  assert.equal(marked("", "word"), "");
});

test("an excerpt begins near the longest word that was found", () => {
  const long = `The first ${"of many words ".repeat(20)}and the station, ${"and so on ".repeat(100)}`;
  const found = marked(long, "the station");
  assert.match(found, /^…of many words and \[the\] \[station\], and so on/);
  assert.ok(found.length < 340, `${found.length} characters`);
  assert.equal(marked(`${"😀".repeat(40)}needle`, "needle"), `…${"😀".repeat(12)}[needle]`);
});

test("hits are marked, and say who wrote them and where they were looked for", async () => {
  const [ann, ben] = [await account("Ann"), await account(`Benedict ${"Long".repeat(15)}`)];
  const chat = await group("Haystack", [ann, ben]);
  const other = (await call("POST", "/chats", ben.token, { kind: "private", user_id: ann.id })).id;
  await send(ben.token, chat, `${"A word of many. ".repeat(20)}<i>needle</i> in a haystack`);
  await send(ann.token, chat, "I lost two needles");
  await send(ben.token, other, "a needle for you");
  const page = await enter(ann);
  const field = page.locator("#search");
  await page.locator("a.item").nth(1).waitFor();
  assert.equal(await field.getAttribute("placeholder"), "Search");
  assert.equal(await field.getAttribute("aria-label"), "Search chats, people and messages");
  await field.fill("needle");
  const hits = page.locator(".sidebar button.item .preview");
  await until(async () => (await hits.count()) === 3, "all are found");
  const [priv, mine, theirs] = [hits.nth(0), hits.nth(1), hits.nth(2)];
  assert.equal(await priv.innerText(), "a needle for you");
  assert.equal(await mine.innerText(), "You: I lost two needles");
  assert.match(await theirs.innerText(), /^Benedict Long\S+:\s…\S.*<i>needle<\/i> in a haystack$/s);
  assert.deepEqual(await page.locator(".sidebar mark").allInnerTexts(), ["needle", "needles", "needle"]);
  // The name leaves room for the word, which is in sight.
  const [box, row] = [await theirs.locator("mark").boundingBox(), await theirs.boundingBox()];
  assert.ok(box && row && box.y >= row.y && box.y + box.height <= row.y + row.height + 1);

  await field.fill("");
  await openChat(page, "Haystack");
  await page.getByRole("button", { name: "Search in this chat" }).click();
  await field.fill("needle");
  await until(async () => (await hits.count()) === 2, "one chat has two of them");
  await page.getByRole("heading", { name: "In Haystack" }).waitFor();
  await field.fill("nothing like this");
  await page.getByText("Nothing found.").waitFor();
  await page.getByRole("heading", { name: "In Haystack" }).waitFor();
  await page.getByRole("button", { name: "Clear search" }).click();
  await field.fill("needle");
  await page.getByRole("heading", { name: "Messages" }).waitFor();
  assert.deepEqual(page.errors, []);
});
