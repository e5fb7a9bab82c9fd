import type { SessionStatus } from '../contract.ts';
import { lost } from '../errors.ts';
import type { SessionAnswer } from '../session/backend.ts';
import type { PreparedLink } from './plaid-link.ts';

export interface HostedListener {
  /** The session is not where it was when Link was opened. */
  moved(): void;
  /** The window was closed, and nothing came of it. */
  left(): void;
  /** The browser opens no window. */
  blocked(): void;
}

export interface HostedOptions {
  /** Plaid's page takes the place of this one, and comes back. */
  leavesPage: boolean;
  ask(): Promise<SessionAnswer>;
}

// After its window the session is looked at all the same, at a fifth of the server's pace: a look costs little, and the
// server may have the bank before the page knows.
const LATER = 5;
// Faster than any customer: then the browser has cut the page off from its window (Cross-Origin-Opener-Policy).
const CUT_OFF_WITHIN = 1_000;
// The server asks Plaid at most every 3 s: of this many answers at least one is newer than the window's end.
const LOOKS_AFTER_CLOSE = 3;
// Plaid's pages are laid out for a phone of this size.
const WINDOW = 'popup,width=440,height=720';
const MOVED: readonly SessionStatus[] = ['processing', 'completed', 'failed', 'expired', 'canceled'];

/** Link on a page of Plaid's own. It sends this page nothing, so the session is read until it goes on. */
export function prepareHosted(url: string, listener: HostedListener, { leavesPage, ask }: HostedOptions): PreparedLink {
  let popup: Window | null = null;
  let isOpen = false;
  let isClosed = false;
  /** Whether the window is open can't be seen from here. */
  let isCutOff = false;
  let openedAt = 0;
  let looksAfterClose = 0;
  let before: string | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function look(): Promise<void> {
    clearTimeout(timer);
    const answer = await ask().catch(lost);
    if (isClosed) return;
    const { session, retryAfter } = answer ?? { session: null, retryAfter: LATER };
    if (session) {
      const mark = `${session.status} ${session.error?.request_id}`;
      before ??= mark;
      if (mark !== before || MOVED.includes(session.status)) {
        stop();
        listener.moved();
        return;
      }
      if (hasLeft() && ++looksAfterClose >= LOOKS_AFTER_CLOSE) {
        isOpen = false;
        listener.left();
      }
    }
    timer = setTimeout(() => void look(), retryAfter * 1000 * (isOpen ? 1 : LATER));
  }
  /**
   * A window that this page can't see, and one that is closed, look alike. A customer who has closed it is back on this
   * page, which then has the focus.
   */
  const hasLeft = () => {
    if (!isOpen || !(popup?.closed ?? true)) return false;
    if (popup && Date.now() - openedAt < CUT_OFF_WITHIN) isCutOff = true;
    return !isCutOff && document.hasFocus();
  };
  const returned = () => {
    if (!document.hidden) void look();
  };
  const stop = () => {
    isClosed = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', returned);
    globalThis.removeEventListener('pageshow', returned);
  };

  return {
    isLost: () => false,
    open() {
      if (popup && !popup.closed) {
        popup.focus();
        return true;
      }
      isOpen = true;
      isCutOff = false;
      openedAt = Date.now();
      looksAfterClose = 0;
      if (leavesPage) {
        // Comes only when the customer goes back and finds this page as it was.
        globalThis.addEventListener('pageshow', returned);
        location.assign(url);
        return true;
      }
      popup = openWindow(url);
      if (!popup) {
        isOpen = false;
        listener.blocked();
        return true;
      }
      document.addEventListener('visibilitychange', returned);
      setTimeout(hasLeft, CUT_OFF_WITHIN - 1);
      void look();
      return true;
    },
    close() {
      stop();
      if (popup && !popup.closed) popup.close();
    },
  };
}

/** Without a way back into this page for the one that is opened. */
function openWindow(url: string): Window | null {
  const opened = window.open('about:blank', '_blank', WINDOW);
  if (!opened) return null;
  opened.opener = null;
  opened.location.href = url;
  return opened;
}
