import { css } from 'lit';

/**
 * Two rows whose height is reserved in every state: the control (button or card) and the note under it, which has room for the longest text of any
 * language and a line of links. `light-dark()` follows the page's `color-scheme`. Text on its ground keeps at least 4.5:1, the border of a control 3:1.
 */
export const styles = css`
  :host {
    --_accent: var(--fbc-accent, light-dark(#17483f, #a9dcc9));
    --_on-accent: var(--fbc-on-accent, light-dark(#fff, #08251d));
    --_text: var(--fbc-text, light-dark(#15201d, #edf3f0));
    --_muted: var(--fbc-muted, light-dark(#55625e, #a5b3ae));
    --_surface: var(--fbc-surface, light-dark(#fff, #17201d));
    --_border: var(--fbc-border, light-dark(#86938e, #66746f));
    --_tint: var(--fbc-tint, light-dark(#e4f0eb, #243a33));
    --_error: var(--fbc-error, light-dark(#a8261c, #ffb1a6));
    --_radius: var(--fbc-radius, 12px);
    --_height: var(--fbc-height, 56px);
    /* Plaid asks for 350 by 300 pixels, or 300 by 350. */
    --_search: 360px;
    --_line: 1.125rem;
    display: block;
    container-type: inline-size;
    color: var(--_text);
    font: var(--fbc-font, 400 1rem / 1.4 system-ui, sans-serif);
    text-align: start;
  }
  :host([hidden]) {
    display: none;
  }
  * {
    box-sizing: border-box;
  }
  .base {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 8px;
  }
  button {
    font: inherit;
    color: inherit;
    cursor: pointer;
    touch-action: manipulation;
  }
  :focus-visible {
    outline: 2px solid var(--fbc-focus, var(--_accent));
    outline-offset: 2px;
  }
  .main {
    display: flex;
    align-items: center;
    justify-content: center;
    gap: 12px;
    inline-size: 100%;
    min-block-size: var(--_height);
    padding: 6px 14px;
    border: 1px solid transparent;
    border-radius: var(--_radius);
    background: var(--_accent);
    color: var(--_on-accent);
    font-weight: 600;
    line-height: 1.25;
    text-align: start;
    transition: box-shadow 0.15s;
  }
  [part~='label'] {
    display: -webkit-box;
    overflow: hidden;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    text-wrap: balance;
  }
  .main:hover {
    background: color-mix(in oklab, var(--_accent), var(--_on-accent) 12%);
    box-shadow: 0 2px 8px rgb(0 0 0 / 0.14);
  }
  .main[aria-disabled='true'] {
    background: var(--_surface);
    border-color: var(--_border);
    color: var(--_text);
    box-shadow: none;
    cursor: default;
  }
  .main:disabled {
    opacity: 0.55;
    cursor: not-allowed;
    box-shadow: none;
  }
  .main.again {
    background: var(--_surface);
    border-color: var(--_accent);
    color: var(--_accent);
  }
  .main.again:hover {
    background: var(--_tint);
  }
  .icon {
    display: grid;
    flex: none;
  }
  svg {
    inline-size: 22px;
    block-size: 22px;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.8;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .spinner {
    flex: none;
    inline-size: 20px;
    block-size: 20px;
    border: 2.5px solid color-mix(in srgb, currentColor 25%, transparent);
    border-block-start-color: currentColor;
    border-radius: 50%;
    animation: turn 0.9s linear infinite;
  }
  @keyframes turn {
    to {
      rotate: 1turn;
    }
  }
  @keyframes breathe {
    50% {
      opacity: 0.35;
    }
  }
  .note {
    display: grid;
    align-content: start;
    min-block-size: calc(4 * var(--_line) + 2px);
    padding-inline: 2px;
    color: var(--_muted);
    font-size: 0.8125rem;
    line-height: var(--_line);
  }
  .note > * {
    grid-area: 1 / 1;
    align-self: start;
  }
  .away,
  .speechless :is([part='label'], .note) {
    visibility: hidden;
  }
  .speechless ::slotted(:is([slot='label'], [slot='legal'])) {
    visibility: visible;
  }
  @container (max-width: 280px) {
    .main {
      gap: 8px;
      padding-inline: 10px;
      font-size: 0.9375rem;
    }
  }
  @container (min-width: 300px) {
    .note {
      min-block-size: calc(3 * var(--_line) + 2px);
    }
    .tall {
      align-content: start;
      min-block-size: calc(var(--_search) + 10px + 3 * var(--_line));
    }
  }
  @container (min-width: 600px) {
    .note {
      min-block-size: calc(2 * var(--_line) + 2px);
    }
  }
  .error {
    display: flex;
    gap: 6px;
    color: var(--_error);
  }
  .error svg {
    flex: none;
    inline-size: 16px;
    block-size: var(--_line);
  }
  .note p {
    margin: 0;
  }
  .spoken {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-contrast: more) {
    :host {
      --_muted: var(--_text);
      --_border: var(--_text);
    }
    .note {
      font-weight: 500;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .main {
      transition: none;
    }
    .spinner {
      animation: breathe 2.4s ease-in-out infinite;
    }
  }
  @media (forced-colors: active) {
    .main {
      border-color: ButtonBorder;
    }
    .main:disabled {
      opacity: 1;
      color: GrayText;
    }
    .spinner {
      border-color: GrayText;
      border-block-start-color: Highlight;
    }
  }
`;
