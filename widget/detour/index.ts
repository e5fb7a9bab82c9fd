/**
 * What most customers never need between the button and a connected bank, loaded where one does: errors and what is
 * said about them, questions and repairs, the search in the page, Link on a page of Plaid's own, and the way back from
 * a bank's.
 */
export { en, KEYS } from '../i18n/index.ts';
export { describe } from '../i18n/messages.ts';
export { canEmbed, embeddedPlace, focusSearch } from './embedded-container.ts';
export { examine } from './examine.ts';
export * from './flow-detour.ts';
export { hidesLink } from './hides-link.ts';
export { moved } from './moved.ts';
export { rendered } from './rendered.ts';
export { keepsSession } from './returned-session.ts';
export { detourStyles } from './styles.ts';
export { detourParts } from './view-parts.ts';
