import type { ElementProperties } from '../element/properties.ts';
import type { Names } from '../element/view.ts';

/** Not read as text: what only decorates, and what other controls hold. */
const UNREAD = '[aria-hidden=true],select,textarea';

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

function textOf(nodes: (Node | null | undefined)[], element: Element): string {
  const texts = nodes.map((node) => textIn(node, element, true));
  return texts.join(' ').replace(/\s+/g, ' ').trim();
}

/**
 * As screen readers read it. A label may stand around the element, whose own children are no part of its name.
 * @param isMeant it is referred to itself, also where it is hidden
 */
function textIn(node: Node | null | undefined, element: Element, isMeant = false): string {
  if (node instanceof Text) return node.data;
  if (!(node instanceof Element) || node === element) return '';
  if (!isMeant && (node.matches(UNREAD) || getComputedStyle(node).display === 'none')) return '';
  const children = [...node.childNodes].map((child) => textIn(child, element));
  return node.getAttribute('aria-label') || node.getAttribute('alt') || children.join(' ');
}
