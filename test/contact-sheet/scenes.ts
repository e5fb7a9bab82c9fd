import type { State } from '../widget/helpers/states.ts';
import { states } from '../widget/helpers/states.ts';

/** Pages as merchants have them, each with the element in states that matter there. `@` is where it goes. */
export interface Scene {
  name: string;
  lang: string;
  dir: string;
  width: number;
  css: string;
  html: string;
  attributes?: Record<string, string>;
  states: string[];
}

const font = 'font: 16px/1.5 Inter, system-ui, sans-serif';

export const scenes: Scene[] = [
  {
    name: 'utility-classes',
    lang: 'en',
    dir: 'ltr',
    width: 760,
    css: `.scene { ${font}; padding: 40px; background: #f9fafb; color: #111827 }
      .panel { max-width: 448px; padding: 24px; border-radius: 8px; background: #fff; box-shadow: 0 1px 3px rgb(0 0 0 / .12); --fbc-accent: #4f46e5; --fbc-radius: 6px; --fbc-height: 44px; --fbc-border: #8b93a3 }
      .row { display: flex; align-items: center; justify-content: space-between; gap: 12px; margin-bottom: 16px }
      .muted { color: #6b7280 }`,
    html: '<div class="panel"><div class="row"><b>Payment</b><span class="muted">$128.00</span></div><div class="row" style="margin:0;align-items:start">@</div></div>',
    states: ['ready', 'connected', 'error, sign-in'],
  },
  {
    name: 'modal',
    lang: 'en',
    dir: 'ltr',
    width: 620,
    css: `.scene { font: 16px/1.5 "Helvetica Neue", Arial, sans-serif; padding: 40px; background: #6c757d; color: #212529 }
      .modal { width: 500px; border-radius: 8px; background: #fff; --fbc-accent: #0d6efd; --fbc-radius: 6px; --fbc-height: 48px }
      .modal > * { padding: 16px } .modal header { border-bottom: 1px solid #dee2e6; font-size: 20px } .modal footer { border-top: 1px solid #dee2e6; text-align: end; color: #6c757d }`,
    html: '<div class="modal"><header>Add a payment method</header><div>@</div><footer>Close</footer></div>',
    states: ['ready', 'connected, two accounts', 'error, for the merchant'],
  },
  {
    name: 'dark-brand',
    lang: 'en',
    dir: 'ltr',
    width: 560,
    css: `.scene { ${font}; padding: 40px; background: linear-gradient(160deg, #1b1035, #0b0b12); color: #f4f0ff; --fbc-accent: #b794f6; --fbc-on-accent: #1b1035; --fbc-radius: 99px }
      h2 { margin: 0 0 20px; font-weight: 600 }`,
    html: '<h2>Pay from your bank</h2>@',
    attributes: { theme: 'dark' },
    states: ['ready', 'connected', 'error, locked at the bank', 'connecting'],
  },
  {
    name: 'phone',
    lang: 'en',
    dir: 'ltr',
    width: 390,
    css: `.scene { ${font}; padding: 24px 20px; background: #fff; color: #1c1c1e } h2 { margin: 0 0 4px } p { margin: 0 0 20px; color: #636366 }`,
    html: '<h2>Checkout</h2><p>Total: $40.00</p>@',
    states: ['ready', 'open', 'pending verification', 'repair, ready'],
  },
  {
    name: 'right-to-left',
    lang: 'ar',
    dir: 'rtl',
    width: 560,
    css: `.scene { ${font}; padding: 40px; background: #fbf8f2; color: #241f1a; --fbc-accent: #7a4a1c } h2 { margin: 0 0 20px }`,
    html: '<h2>الدفع من حسابك المصرفي</h2>@',
    states: ['ready', 'connected', 'needs repair', 'error, sign-in'],
  },
];

export function stateNamed(name: string): State {
  const state = states[name];
  if (!state) throw new Error(`There is no state "${name}"`);
  return state;
}
