// Link takes its frame away with an animation; what still has the focus after this has it for good.
const LONGEST_FADE = 1_000;
// About three frames.
const PACE = 50;

/**
 * Brings the focus to the control where it was lost: Link took it along, or what was pressed is gone. A frame keeps the
 * focus for a moment after it was hidden, and browsers then give it to nothing, so this checks more than once. A focus
 * that the page or the customer has put elsewhere in the meantime stays there.
 * @returns whether the control has got it
 */
export async function returnFocus(root: ShadowRoot): Promise<boolean> {
  for (const end = Date.now() + LONGEST_FADE; ; ) {
    const { activeElement: focused } = document;
    if (isLost(focused, root)) {
      // A page's own content in a slot takes the place of ours, which is then not drawn and takes no focus.
      const controls = [...root.querySelectorAll<HTMLElement>('.main, .card, .search, .link')];
      controls.find((control) => control.getClientRects().length)?.focus({ preventScroll: true });
      return true;
    }
    if (focused?.localName !== 'iframe' || Date.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, PACE));
    if (!root.host.isConnected) return false;
  }
}

function isLost(focused: Element | null, root: ShadowRoot): boolean {
  if (!focused || focused.matches('body,html')) return true;
  if (focused === root.host) return !root.activeElement;
  return focused.localName === 'iframe' && isHidden(focused);
}

function isHidden(frame: Element): boolean {
  const { width, height } = frame.getBoundingClientRect();
  const { visibility, opacity } = getComputedStyle(frame);
  return !width || !height || visibility === 'hidden' || opacity === '0';
}
