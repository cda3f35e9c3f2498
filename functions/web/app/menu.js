// @ts-check
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { icon } from "./format.js";
import { t } from "./i18n.js";
import { redraw, state } from "./store.js";

/** @type {Element | null} */
let focusBefore = null;
let placed = false;

/**
 * Opens a menu beside an element. An open dialog is above everything else, so the menu is drawn inside of it.
 * @param {Element} anchor
 * @param {NonNullable<typeof state.menu>["items"]} items
 * @param {NonNullable<typeof state.menu>["emoji"]} [emoji] a row of reactions above the items
 */
export function openMenu(anchor, items, emoji = null) {
  focusBefore = document.activeElement;
  state.menu = { anchor, items, emoji };
  placed = false;
  redraw();
}

export function closeMenu() {
  if (!state.menu) return;
  state.menu = null;
  if (focusBefore instanceof HTMLElement && focusBefore.isConnected) focusBefore.focus({ preventScroll: true });
  redraw();
}

/** @param {KeyboardEvent} event */
function keydown(event) {
  const items = [.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll("button")];
  const index = items.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  const go = (/** @type {number} */ to) => items[(to + items.length) % items.length]?.focus();
  if (event.key === "ArrowDown" || event.key === "ArrowRight") go(index + 1);
  else if (event.key === "ArrowUp" || event.key === "ArrowLeft") go(index - 1);
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(-1);
  else if (event.key === "Escape" || event.key === "Tab") closeMenu();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** @param {boolean} inDialog */
export function menu(inDialog) {
  const { menu } = state;
  if (!menu || inDialog !== (menu.anchor.closest("dialog") !== null)) return nothing;
  const choose = (/** @type {() => void} */ act) => {
    closeMenu();
    act();
  };
  return html`<div class="menu-shade" @click=${closeMenu} @contextmenu=${closeMenu}></div>
    <div class="menu" id="menu" role="menu" aria-label=${t("action.more")} @keydown=${keydown}>
      ${
        menu.emoji
          ? html`<div class="emoji-row" role="group" aria-label=${t("message.react")}>
              ${menu.emoji.offered.map(
                (emoji) =>
                  html`<button
                    role="menuitemcheckbox"
                    aria-checked=${String(menu.emoji?.chosen.includes(emoji) ?? false)}
                    @click=${() => choose(() => menu.emoji?.choose(emoji))}
                  >
                    ${emoji}
                  </button>`,
              )}
            </div>`
          : nothing
      }
      ${menu.items.map(
        (item) =>
          html`<button role="menuitem" class=${item.danger ? "danger-text" : ""} @click=${() => choose(item.act)}>
            ${icon(item.icon)}<span>${item.label}</span>
          </button>`,
      )}
    </div>`;
}

/** Puts the menu to its place once it is drawn. */
export function placeMenu() {
  // What the menu is about may be gone from the page, and the menu with it.
  if (state.menu && !state.menu.anchor.isConnected) closeMenu();
  const element = document.getElementById("menu");
  if (!element || !state.menu || placed) return;
  placed = true;
  const anchor = state.menu.anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const frame = element.offsetParent?.getBoundingClientRect() ?? { left: 0, top: 0 };
  const below = anchor.bottom + 4 + height <= innerHeight - 8;
  const top = below ? anchor.bottom + 4 : Math.max(8, anchor.top - height - 4);
  const atRight = anchor.left + anchor.right > innerWidth;
  const left = Math.min(Math.max(8, atRight ? anchor.right - width : anchor.left), innerWidth - width - 8);
  element.style.left = `${left - frame.left}px`;
  element.style.top = `${Math.max(8, Math.min(top, innerHeight - height - 8)) - frame.top}px`;
  /** @type {HTMLElement | null} */ (element.querySelector("button[role=menuitem]"))?.focus();
}
