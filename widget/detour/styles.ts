import { css } from 'lit';

/** The styles of dead ends, of the search in the page, and of the questions between Link and the connection. */
export const detourStyles = css`
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
    hyphens: auto;
    overflow-wrap: anywhere;
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
  .search {
    position: relative;
    display: grid;
    block-size: var(--_search);
    border-radius: var(--_radius);
    outline: none;
  }
  .search[inert] {
    opacity: 0.55;
    pointer-events: none;
  }
  /* Browsers that do not know the attribute do not know this selector: the keyboard must not come into the search. */
  @supports not selector(:has(a)) {
    .search[inert] ::slotted([slot='embedded']) {
      visibility: hidden;
    }
  }
  .search > .spinner {
    position: absolute;
    inset: 0;
    margin: auto;
  }
  ::slotted([slot='embedded']) {
    /* Also where the page hides what is empty, as this is at first. */
    display: block !important;
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
    /* A long word in large text, in a narrow window. */
    overflow-wrap: anywhere;
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
    hyphens: auto;
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
    label:has(:checked) {
      outline: 2px solid Highlight;
    }
  }
`;
