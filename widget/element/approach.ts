import type { LitElement } from 'lit';
import { listen } from './page-events.ts';

// Link's script and a link token take about a second; this is about that much of scrolling ahead.
const MARGIN = '400px';

/**
 * Reports that the customer comes near: by scrolling (`near`: whether they still are), with the pointer, or with the
 * keyboard.
 */
export function watchApproach(element: LitElement, signal: AbortSignal, approached: (near?: boolean) => void): void {
  for (const intent of ['pointerenter', 'focusin']) {
    // Not within the event: the focus also comes while the element is rendering.
    listen(element, intent, () => queueMicrotask(approached), signal);
  }
  const observer = new IntersectionObserver((entries) => approached(!!entries.pop()?.isIntersecting), {
    rootMargin: MARGIN,
  });
  // A page may leave the element itself without a box.
  void element.updateComplete.then(() => {
    const frame = element.shadowRoot?.querySelector('.frame');
    if (frame && !signal.aborted) observer.observe(frame);
  });
  signal.addEventListener('abort', () => observer.disconnect());
}
