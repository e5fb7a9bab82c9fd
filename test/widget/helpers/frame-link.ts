import type { PlaidHandler, PlaidLinkConfig } from '../../../widget/link/plaid-link.types.ts';
import { SimulatedLink } from './simulated-link.ts';

/**
 * Link with a real frame that has the focus while it is open, as Plaid's has. It locks the page's scrolling, and puts
 * back what was there when it was created, however much later that is.
 */
export class FrameLink extends SimulatedLink {
  /**
   * When the frame is taken from the customer: before or after Link's last callback, a moment later, or by `destroy`
   * alone.
   */
  leaving: 'before' | 'after' | 'later' | 'destroyed' = 'after';
  /** Whether the page is locked in the call that opens Link, or when the frame answers. */
  locks: 'at once' | 'later' = 'at once';
  /** Link is known to scroll the page to its top when it leaves. */
  jumps = false;

  static override install(settings: Partial<Pick<FrameLink, 'leaving' | 'locks' | 'jumps'>> = {}): FrameLink {
    const link = Object.assign(new FrameLink(), settings);
    globalThis.Plaid = link;
    return link;
  }

  override create(config: PlaidLinkConfig): PlaidHandler {
    const frame = document.createElement('iframe');
    frame.id = 'plaid-link-iframe-1';
    frame.title = 'Link';
    Object.assign(frame.style, {
      position: 'fixed',
      inset: '0',
      inlineSize: '100%',
      blockSize: '100%',
      display: 'none',
    });
    const { body } = document;
    body.append(frame);
    const { overflow } = body.style;
    let isOpen = false;

    const hide = () => {
      if (!isOpen) return;
      isOpen = false;
      body.style.overflow = overflow;
      if (this.jumps) globalThis.scrollTo({ top: 0, behavior: 'instant' });
      if (this.leaving !== 'destroyed') frame.style.display = 'none';
    };
    const leave = (callback: () => void) => {
      if (this.leaving === 'before') hide();
      callback();
      if (this.leaving === 'later') setTimeout(hide, 100);
      else hide();
    };
    super.create({
      ...config,
      onSuccess: (...given) => leave(() => config.onSuccess(...given)),
      onExit: (...given) => leave(() => config.onExit(...given)),
    });
    const handler = this.last;
    const lock = () => {
      if (isOpen) body.style.overflow = 'hidden';
    };
    return Object.assign(handler, {
      open: () => {
        handler.opened++;
        isOpen = true;
        frame.style.display = 'block';
        frame.focus();
        if (this.locks === 'at once') lock();
        else setTimeout(lock, 30);
      },
      destroy: () => {
        handler.destroyed = true;
        hide();
        frame.remove();
      },
    });
  }
}
