import { css } from 'lit';

/**
 * The styles of what appears only after the first view: the connected account, and the questions between Link and the
 * connection.
 */
export const lateStyles = css`
  slot[name='connected'] {
    display: grid;
    gap: inherit;
  }
  .avatar {
    position: relative;
    display: grid;
    flex: none;
    place-items: center;
    inline-size: 36px;
    block-size: 36px;
    border-radius: 50%;
    background: var(--_tint);
    font-weight: 600;
  }
  /* Over the initial. Many logos are transparent, and made for a light page. */
  canvas {
    position: absolute;
    inset: 0;
    inline-size: 100%;
    block-size: 100%;
    border-radius: 50%;
    outline: 1px solid #808b874d;
    outline-offset: -1px;
    background: #fff;
  }
  /* On the corner of the bank's logo, so that its name has the whole width. */
  .state {
    position: absolute;
    inset-block-end: -4px;
    inset-inline-end: -4px;
    padding: 3px;
    border-radius: 50%;
    background: #6b7571;
    color: #fff;
  }
  .state.active {
    background: var(--_accent);
    color: var(--_on-accent);
  }
  .state svg {
    display: block;
    inline-size: 12px;
    block-size: 12px;
    stroke-width: 3;
  }
  .account {
    flex: 1;
    min-inline-size: 0;
    line-height: 1.3;
  }
  /* The line has the direction of the name, and the place that the language gives it. */
  .line {
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  /* On a button the end of a long name gives way; the digits never do. */
  .main .line {
    display: inline-flex;
    gap: 0.3em;
    max-inline-size: 100%;
    vertical-align: bottom;
  }
  .main [part='bank-name'] {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  [part='mask'] {
    flex: none;
    white-space: nowrap;
    font-variant-numeric: tabular-nums;
  }
  .small {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0 12px;
    font-size: var(--_small);
    line-height: var(--_line);
    color: var(--fbc-muted, inherit);
  }
  /* A dead end: the title is in the control's place, and the sentence under it in the same box. */
  .ended {
    gap: 2px;
    min-block-size: 0;
    padding: 11px 13px;
    /* Seen in forced colors, which have no background. */
    border: 1px solid transparent;
    border-radius: var(--_radius);
    background: var(--_tint);
  }
  .dead {
    min-block-size: 0;
    padding: 0;
    border: 0;
    background: none;
    line-height: 1.3;
  }
  /* The focus is on all of it: around the title alone, the ring would cross the sentence. */
  .dead:focus-visible {
    outline: none;
  }
  .dead:focus-visible::after {
    content: '';
    position: absolute;
    inset: -1px;
    border-radius: var(--_radius);
    outline: 2px solid var(--fbc-focus, #1d8663);
    outline-offset: 2px;
  }
  .dead svg {
    flex: none;
    margin-block: -3px;
  }
  .ended .note {
    padding-inline: 34px 0;
  }
  .ended .error {
    padding: 0;
    color: inherit;
  }
  .ended .error svg {
    display: none;
  }
  /* Links follow a sentence on its last line. */
  .note div p {
    display: inline;
    margin-inline-end: 16px;
  }
  .link {
    display: inline-block;
    /* 24 px to touch, without making the line taller. */
    min-inline-size: 24px;
    margin-block: -4px;
    padding: 4px 0;
    border: 0;
    border-radius: 4px;
    background: none;
    color: inherit;
    font-size: inherit;
    font-weight: 600;
    line-height: var(--_line);
    text-align: start;
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  .links .link {
    margin-inline-end: 16px;
  }
  .link:hover {
    text-decoration-thickness: 2px;
  }
  .link:focus-visible {
    outline-offset: 0;
  }
  .search {
    position: relative;
    display: grid;
    block-size: var(--_search);
    border-radius: var(--_radius);
    outline: none;
  }
  .search > .spinner {
    position: absolute;
    inset: 0;
    margin: auto;
  }
  ::slotted([slot='embedded']) {
    display: block;
    inline-size: 100%;
    block-size: var(--_search);
  }
  dialog {
    /* A page that is busy may let nothing else be pressed, or seen. */
    visibility: visible;
    pointer-events: auto;
    inline-size: min(420px, calc(100vw - 32px));
    max-block-size: calc(100vh - 32px);
    max-block-size: calc(100dvh - 32px);
    overflow: auto;
    padding: 24px;
    border: 1px solid var(--_border);
    border-radius: 16px;
    background: var(--fbc-surface, Canvas);
    color: var(--fbc-text, CanvasText);
    box-shadow: 0 16px 48px #00000047;
  }
  dialog::backdrop {
    background: #08100e80;
  }
  form,
  fieldset,
  .answers {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 8px;
  }
  form {
    gap: 16px;
  }
  form > .small {
    row-gap: 8px;
  }
  h2 {
    margin: 0;
    font-size: max(1.1875rem, 19px);
    line-height: 1.3;
    outline: none;
  }
  fieldset {
    min-inline-size: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    padding: 0 0 8px;
    color: var(--fbc-muted, inherit);
  }
  label {
    display: flex;
    align-items: center;
    gap: 12px;
    min-block-size: 52px;
    padding: 8px 14px;
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    cursor: pointer;
  }
  label:has(:checked) {
    border-color: var(--_accent);
    background: var(--_tint);
  }
  input {
    flex: none;
    inline-size: 18px;
    block-size: 18px;
    margin: 0;
    accent-color: var(--_accent);
  }
  .text {
    font-size: max(0.9375rem, 15px);
    overflow-wrap: break-word;
    white-space: pre-wrap;
  }
  .answers .link {
    justify-self: center;
    margin-block: 0;
  }
  /* The dialog scrolls as a whole; where it is tall enough, the answers stay in view. */
  @media (min-height: 480px) {
    .answers {
      position: sticky;
      inset-block-end: -24px;
      margin: 0 -24px -24px;
      padding: 12px 24px 24px;
      background: var(--fbc-surface, Canvas);
    }
  }
  @media (forced-colors: active) {
    .state {
      forced-color-adjust: none;
      background: ButtonText;
      color: ButtonFace;
    }
    label:has(:checked) {
      outline: 2px solid Highlight;
    }
  }
`;
