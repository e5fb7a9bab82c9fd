import { svg } from 'lit';
import { icon } from '../element/icons.ts';

export const checkIcon = icon(svg`<circle cx="12" cy="12" r="9"/><path d="m8 12.3 2.8 2.7L16 9.6"/>`);
export const clockIcon = icon(svg`<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.2 2"/>`);
