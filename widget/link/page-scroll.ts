/**
 * Link locks the page's scrolling while it is open, is known to give it back wrongly, and to jump. What the page does
 * itself in the meantime must stay. A change is Link's when it happens within a call into Link, or in the same task
 * before or after one of Link's callbacks; every other change is the page's.
 */
export interface ScrollGuard {
  /** A call into Link that opens it. */
  opening(call: () => void): void;
  /** Link is in front of the customer, and may have locked the page only now. */
  opened(): void;
  /**
   * Around what Link's last callback leads to in the page. Afterwards Link cleans up. Without it Link is taken away,
   * and all that has happened before is the page's.
   */
  closing(done?: () => void): void;
}

interface Place {
  /** A page may put another body in its place, or be without one for a moment. */
  body: HTMLElement | null;
  overflow: string | undefined;
  left: number;
  top: number;
}

/** How Link locks the page, where it does so later than in the call that opens it. */
const LOCKED = 'hidden';

/** @param changed something was put into the page's body, or taken out of it, while Link is open */
export function guardScroll(changed: () => void): ScrollGuard {
  let before = look();
  /** As the page wants it: changed by Link's lock and by the page. */
  let current = before;
  let lock: string | undefined;
  const noteStyle = () => {
    const { overflow } = look(before.body);
    if (lock === undefined && overflow === LOCKED && overflow !== before.overflow) lock = overflow;
    current = { ...current, overflow };
  };
  const noteScroll = () => {
    current = { ...current, left: globalThis.scrollX, top: globalThis.scrollY };
  };
  const observer = new MutationObserver(() => {
    noteStyle();
    changed();
  });
  const catchUp = () => {
    if (observer.takeRecords().length) noteStyle();
  };

  return {
    opening(call) {
      before = look();
      call();
      const { overflow } = look();
      lock = overflow === before.overflow ? undefined : overflow;
      current = { ...before, overflow };
      restore(current);
      observer.observe(document.body, { attributeFilter: ['style'], childList: true });
      globalThis.addEventListener('scroll', noteScroll, { passive: true });
    },
    opened() {
      catchUp();
      restore(current);
    },
    closing(done) {
      if (!done) {
        catchUp();
        noteScroll();
      }
      observer.disconnect();
      globalThis.removeEventListener('scroll', noteScroll);
      restore(current.overflow === lock ? { ...current, overflow: before.overflow } : current);
      if (!done) return;
      let after: Place | null = null;
      // Comes after the code of Link that called us, and before any microtask of the page's own handlers.
      queueMicrotask(() => after && restore(after));
      try {
        done();
      } finally {
        after = look();
      }
    },
  };
}

/** A call into Link that must change nothing. */
export function withoutScrolling(call: () => void): void {
  const before = look();
  call();
  restore(before);
}

function look(body: HTMLElement | null = document.body): Place {
  return { body, overflow: body?.style.overflow, left: globalThis.scrollX, top: globalThis.scrollY };
}

function restore({ body, overflow, left, top }: Place): void {
  if (body && body.style.overflow !== overflow) body.style.overflow = overflow as string;
  if (globalThis.scrollX !== left || globalThis.scrollY !== top) {
    globalThis.scrollTo({ left, top, behavior: 'instant' });
  }
}
