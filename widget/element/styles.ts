import { css } from 'lit';

/**
 * What is outside of a surface of our own takes the page's text color, so that it can be read wherever the page's own
 * text can. Colors of our own have at least 4.5:1 to what is written on them and 3:1 to a white or a nearly black page.
 * Nothing here is newer than the support floor without an older value before it.
 *
 * The frame gives the element a width of its own where the parent asks for one: the first track wants 352 px and can do
 * with 144, which the digits of a card need, and what is in the element wants none.
 */
export const styles = css`
  :host {
    --_accent: var(--fbc-accent, #1c6f5b);
    --_on-accent: var(--fbc-on-accent, #fff);
    --_border: var(--fbc-border, #808b87);
    --_tint: var(--fbc-tint, #808b8729);
    --_radius: var(--fbc-radius, 12px);
    --_height: var(--fbc-height, 56px);
    /* Plaid asks for 350 by 300 pixels, or 300 by 350. */
    --_search: 360px;
    --_small: max(0.8125rem, 13px);
    --_line: max(1.125rem, 18px);
    display: block;
    max-inline-size: 640px;
    break-inside: avoid;
    color: var(--fbc-text, inherit);
    font: var(--fbc-font, 400 max(1rem, 16px) / 1.4 system-ui, sans-serif);
    letter-spacing: normal;
    text-align: start;
    hyphens: manual;
    word-break: normal;
    text-indent: 0;
    text-shadow: none;
    text-transform: none;
    white-space: normal;
    word-spacing: normal;
    -webkit-text-fill-color: currentcolor;
  }
  /* A browser that does not know popovers skips the second, and shows what it has. */
  :host(:is([hidden], [popover]:not(:popover-open))) {
    display: none;
  }
  :host(:is([theme], [popover])) {
    color: var(--fbc-text, CanvasText);
  }
  :host([theme='dark']) {
    color-scheme: dark;
  }
  :host([theme='light']) {
    color-scheme: light;
  }
  * {
    box-sizing: border-box;
  }
  .frame {
    display: grid;
    /* Where the page makes the element itself a flex container. */
    flex: auto;
    grid-template-columns: minmax(144px, 352px) minmax(0, 1fr);
  }
  .base {
    grid-column: 1 / -1;
    inline-size: 0;
    min-inline-size: 100%;
    container-type: inline-size;
    text-wrap: pretty;
  }
  .area {
    position: relative;
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    align-content: start;
    gap: 8px;
    min-block-size: calc(var(--_height) + 8px + 3 * var(--_line));
  }
  button {
    font: inherit;
    color: inherit;
    letter-spacing: inherit;
    text-transform: inherit;
    word-spacing: inherit;
    cursor: pointer;
    touch-action: manipulation;
  }
  :focus-visible {
    outline: 2px solid var(--fbc-focus, #1d8663);
    outline-offset: 2px;
  }
  .main,
  .card {
    display: flex;
    align-items: center;
    gap: 12px;
    inline-size: 100%;
    min-block-size: var(--_height);
    padding: 6px 14px;
    border: 1px solid transparent;
    border-radius: var(--_radius);
  }
  .main {
    justify-content: center;
    background: var(--_accent);
    color: var(--_on-accent);
    font-weight: 600;
    line-height: 1.25;
    transition: box-shadow 0.15s;
  }
  .main:not(.busy, :disabled):hover {
    box-shadow:
      0 2px 8px #00000029,
      inset 0 0 0 99px #ffffff1a;
  }
  .busy,
  .tall .main,
  .card {
    background: var(--fbc-surface, transparent);
    border-color: var(--_border);
    color: inherit;
  }
  [aria-disabled='true'] {
    cursor: default;
  }
  .main:disabled {
    opacity: 0.55;
    cursor: not-allowed;
  }
  [part~='label'] {
    min-inline-size: 0;
    text-align: center;
    text-wrap: balance;
    overflow-wrap: break-word;
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
    border: 2.5px solid #808b8766;
    border-block-start-color: currentColor;
    border-radius: 50%;
    animation: turn 0.9s linear infinite;
  }
  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  @keyframes breathe {
    50% {
      opacity: 0.35;
    }
  }
  .note {
    display: grid;
    padding-inline: 2px;
    color: var(--fbc-muted, inherit);
    font-size: var(--_small);
    line-height: var(--_line);
  }
  .note > * {
    grid-area: 1 / 1;
  }
  .away,
  .speechless :is([part='label'], .note) {
    visibility: hidden;
  }
  .speechless ::slotted(*) {
    visibility: visible;
  }
  @container (max-width: 280px) {
    .main {
      gap: 8px;
      padding-inline: 10px;
    }
  }
  @container (min-width: 300px) {
    .area {
      min-block-size: calc(var(--_height) + 8px + 2 * var(--_line));
    }
    .tall .main {
      min-block-size: var(--_search);
    }
  }
  [name='fallback'] {
    display: grid;
  }
  ::slotted([slot='fallback']) {
    margin-block-start: 8px;
  }
  /* The page's own content keeps its direction where English stands in for the page's language. */
  :host(:dir(rtl)) ::slotted(:not([dir])) {
    direction: rtl;
  }
  .gone {
    display: none;
  }
  .error {
    position: relative;
    padding-inline-start: 22px;
    color: var(--fbc-error, inherit);
  }
  .error svg {
    position: absolute;
    inset-inline-start: 0;
    inline-size: 16px;
    block-size: var(--_line);
    color: var(--fbc-error, #d92d20);
  }
  p {
    margin: 0;
  }
  .spoken {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-contrast: more) {
    :host {
      --_border: currentcolor;
    }
    .note {
      color: inherit;
      font-weight: 500;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .spinner {
      animation: breathe 2.4s ease-in-out infinite;
    }
  }
  @media (forced-colors: active) {
    .main:not(.busy, :disabled) {
      forced-color-adjust: none;
      background: ButtonText;
      color: ButtonFace;
    }
    .busy,
    .main:disabled {
      opacity: 1;
      border-color: GrayText;
      color: GrayText;
    }
    .spinner {
      border-block-start-color: Highlight;
    }
  }
`;
