import { html, svg } from 'lit';

export const icon = (shape: unknown) => html`<svg viewBox="0 0 24 24" aria-hidden="true">${shape}</svg>`;

export const bankIcon = icon(svg`<path d="M3.5 9.5 12 4l8.5 5.5zM6 13v4M10 13v4M14 13v4M18 13v4M4 20.5h16"/>`);
export const noticeIcon = icon(svg`<circle cx="12" cy="12" r="9"/><path d="M12 7.5v5.4M12 16.4v.1"/>`);
