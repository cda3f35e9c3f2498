// @ts-check
import { afterDrawing, client, failure, redraw, state, toast } from "./store.js";

/** @type {any} */
let timer = null;
let serial = 0;

/** As many of the words as the server takes. @param {string} words */
function fitting(words) {
  let text = words.trim();
  while (new TextEncoder().encode(text).length > 200) text = [...text].slice(0, -1).join("");
  return text.trim();
}

/** @param {string} query */
export function search(query) {
  state.search.query = query;
  clearTimeout(timer);
  const words = fitting(query);
  state.search.busy = words.length > 0;
  if (words.length > 0) timer = setTimeout(() => void ask(words), 250);
  else Object.assign(state.search, { people: [], messages: [] });
  redraw();
}

/** Searches in one chat, or again in all. @param {string | null} chatId */
export function searchIn(chatId) {
  state.search.chatId = chatId;
  search(state.search.query);
  afterDrawing(() => document.getElementById("search")?.focus());
}

export function clearSearch() {
  state.search.chatId = null;
  search("");
}

/** Forgets everything, also what has been asked for: somebody else may be logged in when it is answered. */
export function forgetSearch() {
  clearTimeout(timer);
  serial++;
  Object.assign(state.search, { open: false, query: "", chatId: null, people: [], messages: [], busy: false });
}

/** @param {string} words */
async function ask(words) {
  const mine = ++serial;
  const { chatId } = state.search;
  const account = client.account?.id;
  const current = () => mine === serial && client.account?.id === account;
  try {
    const [people, messages] = await Promise.all([
      chatId ? [] : client.calls.findPeople(words),
      client.calls.findMessages(words, chatId ?? undefined),
    ]);
    // A later question may have been answered first.
    if (!current() || fitting(state.search.query) !== words) return;
    Object.assign(state.search, { people, messages, busy: false });
  } catch (error) {
    if (!current()) return;
    state.search.busy = false;
    toast(failure(error).text, "error");
  }
  redraw();
}
