import { css } from 'lit';

/** The styles of what appears only after the first view: the connected account. */
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
  @media (forced-colors: active) {
    .avatar {
      border: 1px solid;
    }
    .card .state {
      forced-color-adjust: none;
      background: ButtonText;
      color: ButtonFace;
    }
  }
`;
