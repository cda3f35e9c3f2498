// @ts-check

/** A word this close to the beginning of a text is in sight without cutting anything off. */
const NEAR = 40;
/** How much stands before the word otherwise. */
const BEFORE = 24;
const LENGTH = 300;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/** A word as the server compares it. @param {string} word */
export const plain = (word) => word.normalize("NFC").toLowerCase().replaceAll("ё", "е");

/**
 * Whether a word of a text begins with the one searched for. The server finds its other forms too, by the rules of a
 * language; here they count if they begin alike, such as "city" and "cities".
 * @param {string} word @param {string} wanted
 */
function alike(word, wanted) {
  if (word.startsWith(wanted)) return true;
  const [shorter, longer] = word.length < wanted.length ? [word, wanted] : [wanted, word];
  let same = 0;
  while (same < shorter.length && shorter[same] === longer[same]) same++;
  return same >= Math.max(3, shorter.length - 1) && longer.length - same <= 4 && !/\p{N}/u.test(shorter);
}

/** Where to begin, so that a word is in sight: not within another word, if there is a choice. */
function startBefore(/** @type {string} */ text, /** @type {number} */ index) {
  if (index <= NEAR) return 0;
  const from = index - BEFORE;
  const space = text.slice(from, index).search(/\s\S/);
  if (space >= 0) return from + space + 1;
  // Half a character is none.
  return /[\udc00-\udfff]/.test(text[from] ?? "") ? from + 1 : from;
}

/**
 * The part of a text around what was searched for, in pieces; every other one is a word that was found.
 * @param {string} text
 * @param {string} query
 * @returns {string[]}
 */
export function excerpt(text, query) {
  const wanted = (query.match(WORD) ?? []).map(plain);
  const found = [...text.matchAll(WORD)].filter(([word]) => wanted.some((other) => alike(plain(word), other)));
  // The longest word says most: "the station" is about a station.
  const [best] = found.toSorted((a, b) => b[0].length - a[0].length);
  const start = best ? startBefore(text, best.index) : 0;
  const parts = [];
  let end = start;
  let before = start > 0 ? "…" : "";
  for (const { 0: word, index } of found) {
    if (index < start || index > start + LENGTH) continue;
    parts.push(before + text.slice(end, index), word);
    before = "";
    end = index + word.length;
  }
  parts.push(before + text.slice(end, Math.max(end, start + LENGTH)));
  return parts;
}
