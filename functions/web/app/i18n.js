// @ts-check
import en from "../i18n/en.js";

/** @typedef {string | Record<string, string>} Entry */

/** @type {Record<string, Entry>} */
let words = en;
export let locale = "en";
let plurals = new Intl.PluralRules("en");

/**
 * Loads the first of the browser's languages that has a file in `i18n/`. Whatever that file lacks stays English.
 */
export async function loadLanguage() {
  for (const tag of navigator.languages) {
    const language = tag.toLowerCase().split("-")[0] ?? "en";
    if (language === "en") break;
    if (!/^[a-z]{2,3}$/.test(language)) continue;
    const found = await import(`../i18n/${language}.js`).catch(() => null);
    if (!found) continue;
    words = { ...en, ...found.default };
    locale = tag;
    plurals = new Intl.PluralRules(tag);
    break;
  }
  if (locale === "en") locale = navigator.languages.find((tag) => tag.startsWith("en")) ?? "en";
  document.documentElement.lang = locale;
}

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const entry = words[key] ?? key;
  const text =
    typeof entry === "string" ? entry : (entry[plurals.select(Number(values["count"]))] ?? entry["other"] ?? key);
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? value.toLocaleString(locale) : value;
  });
}

/** @param {string} key */
export const has = (key) => key in words;
