import type { ElementProperties } from '../element/properties.ts';
import type { Names } from '../element/view.ts';

/**
 * How the page names and describes the element, for the control in its shadow tree: references by id do not reach into
 * it, and a label names only the host. In the order that browsers give to these attributes.
 */
export function namesOf(element: ElementProperties): Names {
  const named = referenced(element, 'aria-labelledby') || element.getAttribute('aria-label') || '';
  const label = named.trim() || textOf([...element.labels], element);
  return { label, description: referenced(element, 'aria-describedby') };
}

function referenced(element: Element, attribute: string): string {
  const root = element.getRootNode() as Document | ShadowRoot;
  const ids = element.getAttribute(attribute)?.split(/\s+/) ?? [];
  return textOf(
    ids.map((id) => root.getElementById?.(id)),
    element,
  );
}

/** A label may stand around the element, whose own children are no part of its name. */
function textOf(nodes: (Node | null | undefined)[], element: Element): string {
  const words: string[] = [];
  for (const node of nodes) {
    const walker = node && document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    for (let text = walker?.nextNode(); text; text = walker?.nextNode()) {
      if (!element.contains(text)) words.push(text.nodeValue ?? '');
    }
  }
  return words.join(' ').replace(/\s+/g, ' ').trim();
}
