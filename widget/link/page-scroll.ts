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
  /** Around what Link's last callback leads to in the page. Afterwards Link cleans up. */
  closing(done: () => void): void;
}

interface Place {
  overflow: string;
  left: number;
  top: number;
}

/** How Link locks the page, where it does so later than in the call that opens it. */
const LOCKED = 'hidden';

export function guardScroll(): ScrollGuard {
  let before = look();
  /** As the page wants it: changed by Link's lock and by the page. */
  let current = before;
  let lock: string | null = null;
  const noteStyle = () => {
    const { overflow } = document.body.style;
    if (lock === null && overflow === LOCKED && overflow !== before.overflow) lock = overflow;
    current = { ...current, overflow };
  };
  const noteScroll = () => {
    current = { ...look(), overflow: current.overflow };
  };
  const observer = new MutationObserver(noteStyle);

  return {
    opening(call) {
      before = look();
      call();
      const { overflow } = document.body.style;
      lock = overflow === before.overflow ? null : overflow;
      current = { ...before, overflow };
      restore(current);
      observer.observe(document.body, { attributeFilter: ['style'] });
      globalThis.addEventListener('scroll', noteScroll, { passive: true });
    },
    opened() {
      if (observer.takeRecords().length) noteStyle();
      restore({ ...current, overflow: document.body.style.overflow });
    },
    closing(done) {
      observer.disconnect();
      globalThis.removeEventListener('scroll', noteScroll);
      restore(current.overflow === lock ? { ...current, overflow: before.overflow } : current);
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

function look(): Place {
  return { overflow: document.body.style.overflow, left: globalThis.scrollX, top: globalThis.scrollY };
}

function restore({ overflow, left, top }: Place): void {
  if (document.body.style.overflow !== overflow) document.body.style.overflow = overflow;
  if (globalThis.scrollX !== left || globalThis.scrollY !== top) {
    globalThis.scrollTo({ left, top, behavior: 'instant' });
  }
}
