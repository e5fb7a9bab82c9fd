import { css } from 'lit';

/** Looks of what only appears after the first: the connected account, and the questions between Link and the connection. */
export const lateStyles = css`
  .card {
    display: flex;
    align-items: center;
    gap: 12px;
    min-block-size: var(--_height);
    padding: 6px 14px;
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    background: var(--_surface);
  }
  .initial {
    display: grid;
    flex: none;
    place-items: center;
    inline-size: 36px;
    block-size: 36px;
    border-radius: 50%;
    background: var(--_tint);
    color: var(--_accent);
    font-weight: 600;
  }
  .account {
    flex: 1;
    min-inline-size: 0;
    line-height: 1.3;
  }
  .account * {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .line {
    display: flex;
    gap: 0 0.4em;
    font-weight: 600;
  }
  .line [part='mask'] {
    flex: none;
    font-variant-numeric: tabular-nums;
  }
  .state {
    flex: none;
    display: grid;
    color: var(--_accent);
  }
  .small {
    display: block;
    color: var(--_muted);
    font-size: 0.8125rem;
  }
  .note > div {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 16px;
  }
  .links {
    display: flex;
    gap: 16px;
    white-space: nowrap;
  }
  .link {
    /* 24 px to touch, without making the line taller. */
    margin-block: -4px;
    padding: 4px 0;
    border: 0;
    background: none;
    color: var(--_accent);
    font-weight: 600;
    text-decoration: underline;
    text-underline-offset: 3px;
    border-radius: 4px;
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
  p.small {
    margin: 0;
  }
  dialog {
    inline-size: min(420px, calc(100vw - 32px));
    max-block-size: calc(100dvh - 32px);
    padding: 24px;
    border: 1px solid var(--_border);
    border-radius: 16px;
    background: var(--_surface);
    color: var(--_text);
    box-shadow: 0 16px 48px rgb(0 0 0 / 0.28);
  }
  dialog::backdrop {
    background: rgb(8 16 14 / 0.5);
  }
  form,
  fieldset {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 8px;
  }
  form {
    gap: 16px;
  }
  h2 {
    margin: 0;
    font-size: 1.1875rem;
    line-height: 1.3;
  }
  fieldset {
    min-inline-size: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    padding: 0 0 8px;
    color: var(--_muted);
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
  label .account * {
    white-space: normal;
  }
  label .line {
    flex-wrap: wrap;
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
    max-block-size: 40dvh;
    overflow: auto;
    padding: 12px 14px;
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    font-size: 0.9375rem;
    white-space: pre-wrap;
  }
  @media (forced-colors: active) {
    label:has(:checked) {
      outline: 2px solid Highlight;
    }
  }
`;
