// @ts-check
import { client, failure, redraw, state, toast } from "./store.js";

/** @type {any} */
let timer = null;
let serial = 0;

/** @param {string} query */
export function search(query) {
  state.search.query = query;
  clearTimeout(timer);
  const words = query.trim();
  state.search.busy = words.length > 0;
  if (words.length > 0) timer = setTimeout(() => void ask(words), 250);
  else Object.assign(state.search, { people: [], messages: [] });
  redraw();
}

/** Searches in one chat, or again in all. @param {string | null} chatId */
export function searchIn(chatId) {
  state.search.chatId = chatId;
  search(state.search.query);
  setTimeout(() => document.getElementById("search")?.focus(), 60);
}

export function clearSearch() {
  state.search.chatId = null;
  search("");
}

/** @param {string} words */
async function ask(words) {
  const mine = ++serial;
  const { chatId } = state.search;
  try {
    const [people, messages] = await Promise.all([
      chatId ? [] : client.calls.findPeople(words),
      client.calls.findMessages(words, chatId ?? undefined),
    ]);
    // A later question may have been answered first.
    if (mine !== serial || state.search.query.trim() !== words) return;
    Object.assign(state.search, { people, messages, busy: false });
  } catch (error) {
    if (mine !== serial) return;
    state.search.busy = false;
    toast(failure(error).text, "error");
  }
  redraw();
}
