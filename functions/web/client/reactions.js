// @ts-check

/** @import {Message} from "./types.js" */

/**
 * A change of the reactions to a message.
 * @typedef {object} Reacted
 * @property {number} message_id
 * @property {number} revision
 * @property {Message["reactions"]} reactions
 * @property {string[]} [mine] this person's, if it was they who changed them
 */

/** A message after its reactions have changed. @param {Message} message @param {Reacted} change @returns {Message} */
export function reacted(message, { revision, reactions, mine = message.my_reactions }) {
  const after = { ...message, revision };
  delete after.reactions;
  delete after.my_reactions;
  return reactions?.length ? { ...after, reactions, ...(mine ? { my_reactions: mine } : {}) } : after;
}

/**
 * A message out of a frame, which is the same for everybody and so has nobody's own reactions.
 * @param {Message} message @param {Message | null | undefined} before what is held of it
 * @returns {Message}
 */
export function keepMine(message, before) {
  if (!message.reactions || message.my_reactions || !before?.my_reactions || before.id !== message.id) return message;
  return { ...message, my_reactions: before.my_reactions };
}
