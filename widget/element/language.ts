/**
 * The language of the nearest ancestor that names one, also across shadow roots; empty when there is none, or when it
 * is no language tag.
 */
export function languageOf(element: Element): string {
  for (let at: Element | null = element; at; ) {
    const lang = at.closest('[lang]')?.getAttribute('lang');
    if (lang) return /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(lang) ? lang : '';
    const root = at.getRootNode();
    at = root instanceof ShadowRoot ? root.host : null;
  }
  return '';
}
