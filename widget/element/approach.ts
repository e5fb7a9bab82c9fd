// Link's script and a link token take about a second; this is about that much of scrolling ahead.
const MARGIN = '400px';

/**
 * Reports that the customer comes near: by scrolling (`near`: whether they still are), with the pointer, or with the
 * keyboard.
 */
export function watchApproach(element: HTMLElement, signal: AbortSignal, approached: (near: boolean) => void): void {
  for (const intent of ['pointerenter', 'focusin']) {
    // Not within the event: the focus also comes while the element is rendering.
    element.addEventListener(intent, () => queueMicrotask(() => approached(true)), { signal });
  }
  const observer = new IntersectionObserver((entries) => approached(!!entries.pop()?.isIntersecting), {
    rootMargin: MARGIN,
  });
  observer.observe(element);
  signal.addEventListener('abort', () => observer.disconnect());
}
