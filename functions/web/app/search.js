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

const nothing = () => ({ people: [], messages: [], next: { people: null, messages: null } });

/** @param {string} query */
export function search(query) {
  state.search.query = query;
  clearTimeout(timer);
  const words = fitting(query);
  state.search.busy = words.length > 0;
  if (words.length > 0) timer = setTimeout(() => void ask(words), 250);
  else Object.assign(state.search, nothing());
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
  Object.assign(state.search, { open: false, query: "", chatId: null, ...nothing(), busy: false });
}

/** @param {string} words */
async function ask(words) {
  const mine = ++serial;
  const { chatId } = state.search;
  const account = client.account?.id;
  const current = () => mine === serial && client.account?.id === account;
  try {
    const [people, messages] = await Promise.all([
      chatId ? { users: [], next: null } : client.calls.searchPeople(words),
      client.calls.searchMessages(words, chatId ?? undefined),
    ]);
    // A later question may have been answered first.
    if (!current() || fitting(state.search.query) !== words) return;
    const next = { people: people.next, messages: messages.next };
    Object.assign(state.search, { people: people.users, messages: messages.messages, next, busy: false });
  } catch (error) {
    if (!current()) return;
    state.search.busy = false;
    toast(failure(error).text, "error");
  }
  redraw();
}

/** Asks for the next page of what was found. @param {"people" | "messages"} kind */
export async function findMore(kind) {
  const { query, chatId, next } = state.search;
  const after = next[kind];
  if (!after || state.search.busy) return;
  const words = fitting(query);
  // Another search has another place to go on from.
  const current = () => state.search.next === next;
  state.search.busy = true;
  redraw();
  try {
    if (kind === "people") {
      const page = await client.calls.searchPeople(words, after);
      if (!current()) return;
      state.search.people.push(...page.users);
      next.people = page.next;
    } else {
      const page = await client.calls.searchMessages(words, chatId ?? undefined, after);
      if (!current()) return;
      state.search.messages.push(...page.messages);
      next.messages = page.next;
    }
    state.search.busy = false;
  } catch (error) {
    if (!current()) return;
    state.search.busy = false;
    toast(failure(error).text, "error");
  }
  redraw();
}
