// @ts-check

const LINK = /\bhttps?:\/\/[^\s<>"“”«»]+/gi;

/**
 * The parts of a text, in order; every other one is the address of a link.
 * @param {string} text
 * @returns {string[]}
 */
export function splitLinks(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const address = trimmed(match[0]);
    if (!isWebAddress(address)) continue;
    parts.push(text.slice(end, match.index), address);
    end = match.index + address.length;
  }
  parts.push(text.slice(end));
  return parts;
}

/** A sentence's punctuation does not belong to the link before it, a closing bracket only if it was opened there. */
function trimmed(/** @type {string} */ address) {
  let unopened = address.split(")").length - address.split("(").length;
  let end = address.length;
  for (; end > 0; end--) {
    const last = address[end - 1] ?? "";
    if (last === ")" && unopened > 0) unopened--;
    else if (!/[.,:;!?'*_\]}…]/.test(last)) break;
  }
  return address.slice(0, end);
}

/** @param {string} address */
function isWebAddress(address) {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
}
