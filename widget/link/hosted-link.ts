import type { SessionStatus } from '../contract.ts';
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

// A window that is closed for us may still be open for the customer (Plaid's page can cut itself off), so the looking goes on, at a fifth of the server's pace.
const LATER = 5;
// The server asks Plaid at most every 3 s: of this many answers at least one is newer than the window's end.
const LOOKS_AFTER_CLOSE = 3;
// Plaid's pages are laid out for a phone of this size.
const WINDOW = 'popup,width=440,height=720';
const MOVED: readonly SessionStatus[] = ['processing', 'completed', 'failed', 'expired', 'canceled'];

/** Link on a page of Plaid's own. It tells this page nothing, so the session is looked at until it goes on. */
export function prepareHosted(url: string, listener: HostedListener, { leavesPage, ask }: HostedOptions): PreparedLink {
  let popup: Window | null = null;
  let isOpen = false;
  let isClosed = false;
  let looksAfterClose = 0;
  let before: string | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function look(): Promise<void> {
    clearTimeout(timer);
    const answer = await ask().catch(() => null);
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
      if (isOpen && (popup?.closed ?? true) && ++looksAfterClose >= LOOKS_AFTER_CLOSE) {
        isOpen = false;
        listener.left();
      }
    }
    timer = setTimeout(() => void look(), retryAfter * 1000 * (isOpen ? 1 : LATER));
  }
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
    open() {
      if (popup && !popup.closed) {
        popup.focus();
        return true;
      }
      isOpen = true;
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
