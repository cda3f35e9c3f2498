// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { splitLinks } from "../../app/links.js";

test("links are found without the punctuation around them", () => {
  assert.deepEqual(splitLinks("see https://a.example/b."), ["see ", "https://a.example/b", "."]);
  assert.deepEqual(splitLinks("(http://a.example/x_(y))!"), ["(", "http://a.example/x_(y)", ")!"]);
  assert.deepEqual(splitLinks("http://a.example/)).)"), ["", "http://a.example/", ")).)"]);
  assert.deepEqual(splitLinks("http://a.example/(b.)"), ["", "http://a.example/(b.)", ""]);
  assert.deepEqual(splitLinks("http:// and javascript:alert(1)"), ["http:// and javascript:alert(1)"]);
});

test("a link that ends in very many brackets takes no longer than others", () => {
  const started = performance.now();
  const address = "http://a.example/";
  for (const tail of [")", "("]) {
    const [, found] = splitLinks(`${address}${tail.repeat(200_000)}`);
    assert.equal(found?.length, tail === ")" ? address.length : address.length + 200_000);
  }
  assert.ok(performance.now() - started < 1_000);
});
