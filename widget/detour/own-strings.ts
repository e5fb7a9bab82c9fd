import type { Strings } from '../i18n/index.ts';

const PLACES = 'p, b, h2, legend, button, [part=label], .small span';

/**
 * Marks the page's own strings as what they are, in the page's language, where English stands in for the rest of ours.
 * After each rendering: a text can be in any place, also with names put into it.
 * @param lang null where all are in the page's language
 */
export function markOwnStrings(root: ParentNode, strings: Partial<Strings>, lang: string | null): void {
  const own = Object.values(strings).map((text) => text.split(/\{\w+\}/));
  for (const place of root.querySelectorAll(PLACES)) {
    const text = place.textContent ?? '';
    const isOwn = lang !== null && own.some((pieces) => pieces.every((piece) => text.includes(piece)));
    if (isOwn) place.setAttribute('lang', lang);
    else place.removeAttribute('lang');
  }
}
