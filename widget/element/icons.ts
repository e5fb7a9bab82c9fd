import { html } from 'lit';

/** @param path one for the whole picture, so that every icon has the same template */
export const icon = (path: string) => html`<svg viewBox="0 0 24 24" aria-hidden="true"><path d=${path} /></svg>`;

export const bankIcon = icon('M3.5 9.5 12 4l8.5 5.5zM6 13v4M10 13v4M14 13v4M18 13v4M4 20.5h16');
export const noticeIcon = icon('M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0M12 7.5v5.4M12 16.4v.1');
