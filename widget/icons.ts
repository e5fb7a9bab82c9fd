import { html, svg } from 'lit';

const icon = (shape: unknown) => html`<svg viewBox="0 0 24 24" aria-hidden="true">${shape}</svg>`;

export const bankIcon = icon(svg`<path d="M3.5 9.5 12 4l8.5 5.5zM6 13v4M10 13v4M14 13v4M18 13v4M4 20.5h16"/>`);
export const checkIcon = icon(svg`<circle cx="12" cy="12" r="9"/><path d="m8 12.3 2.8 2.7L16 9.6"/>`);
export const clockIcon = icon(svg`<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.2 2"/>`);
export const noticeIcon = icon(svg`<circle cx="12" cy="12" r="9"/><path d="M12 7.5v5.4M12 16.4v.1"/>`);
