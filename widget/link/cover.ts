/**
 * `modal`: Link can't be reached. A modal dialog makes everything outside of it inert, and a manual popover in the middle
 * of the window, where Link is, goes away for no click. `layer`: a popover is in front of Link, or the page's script
 * keeps pointer or focus inside of a dialog that it has drawn itself.
 */
export type Cover = 'modal' | 'layer';

const DRAWN = '[aria-modal=true], [role=dialog]:not([aria-modal=false]), [role=alertdialog]:not([aria-modal=false])';

/**
 * What of the page around an element is in front of a frame at the end of the document's body, where Link puts its own.
 */
export function coverOf(element: Element): Cover | null {
  let cover: Cover | null = null;
  for (let at: Element | null = element; at; at = parentOf(at)) {
    if (matches(at, ':modal') || isStubborn(at)) return 'modal';
    if (matches(at, ':popover-open') || at.matches(DRAWN)) cover = 'layer';
  }
  return cover ?? (getComputedStyle(document.body).pointerEvents === 'none' ? 'layer' : null);
}

/**
 * The same by what is drawn, which also sees into closed shadow roots: whether a layer at the end of the document's
 * body, in front of everything that is not in the browser's top layer, would get a click at the element's place.
 */
export function coverAt(element: Element): Cover | null {
  const layer = document.createElement('div');
  Object.assign(layer.style, { position: 'fixed', inset: '0', zIndex: String(2 ** 31 - 1) });
  document.body.append(layer);
  const { left, top, width, height } = element.getBoundingClientRect();
  const isHit = (x: number, y: number) => {
    const hit = document.elementFromPoint(x, y);
    // Outside of the window there is nothing.
    return hit === null || hit === layer;
  };
  const isReached = isHit(left + width / 2, top + height / 2);
  const isReachedElsewhere = isHit(1, 1);
  layer.remove();
  if (isReached) return null;
  return isReachedElsewhere ? 'layer' : 'modal';
}

/** Whether a modal dialog of the document makes everything outside of it inert. */
export function isModalOpen(): boolean {
  try {
    return document.querySelector(':modal') !== null;
  } catch {
    return false;
  }
}

function isStubborn(element: Element): boolean {
  if (element.getAttribute('popover') !== 'manual' || !matches(element, ':popover-open')) return false;
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return left < innerWidth / 2 && right > innerWidth / 2 && top < innerHeight / 2 && bottom > innerHeight / 2;
}

/** As the element is drawn: through slots and shadow roots. */
function parentOf(element: Element): Element | null {
  const root = element.getRootNode();
  return element.assignedSlot ?? element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
}

/** Older browsers know neither, and throw. */
function matches(element: Element, selector: string): boolean {
  try {
    return element.matches(selector);
  } catch {
    return false;
  }
}
