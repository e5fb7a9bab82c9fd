/**
 * What is in front of a frame at the end of the document's body, where Link puts its own: what is in the browser's top
 * layer, and dialogs that a page draws itself. Browsers that don't know one of these skip it.
 */
const COVERS = ':is(:modal, :popover-open, [aria-modal=true], [role$=dialog]:not([aria-modal=false]))';

/** Whether something of the page around an element is in front of Link. */
export function isBehindCover(element: Element): boolean {
  for (let at: Element | null = element; at; at = parentOf(at)) if (at.matches(COVERS)) return true;
  // A page that is written again has no body for a moment.
  return getComputedStyle(document.body ?? element).pointerEvents === 'none';
}

/** Above all else, and out of reach of the page's styles: many hide every empty `div`. */
const LAYER =
  'all:initial!important;display:block!important;position:fixed!important;inset:0!important;z-index:2147483647!important';

/** The same by what is drawn at the element's place, which also sees into closed shadow roots. */
export function isDrawnBehind(element: Element): boolean {
  const { left, top, width, height } = element.getBoundingClientRect();
  return !isReached(left + width / 2, top + height / 2);
}

/**
 * Whether a layer at the end of the document's body, in front of everything that is not in the browser's top layer,
 * gets a click at this point.
 */
export function isReached(x: number, y: number): boolean {
  const layer = document.createElement('div');
  layer.style.cssText = LAYER;
  document.body.append(layer);
  // Outside of the window there is nothing; a view transition is over soon, and the whole document until then.
  const isHit = document.elementFromPoint(x, y)?.contains(layer) ?? true;
  layer.remove();
  return isHit;
}

/** Whether a modal dialog of the document makes everything outside of it inert. */
export function isModalOpen(): boolean {
  return document.querySelector(':is(:modal)') !== null;
}

/** As the element is drawn: through slots and shadow roots. */
export function parentOf(element: Element): Element | null {
  const root = element.getRootNode();
  return element.assignedSlot ?? element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
}
