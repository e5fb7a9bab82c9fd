import type { ElementStatus } from '../../../widget/flow/state.ts';
import type { FinixBankConnect } from '../../../widget/index.ts';
import { AWAY_KEY } from '../../../widget/link/away-store.ts';
import { connection, failedSession, refusal, type SimulatedBackend, session } from './simulated-backend.ts';
import type { SimulatedLink } from './simulated-link.ts';

export interface Shown {
  element: FinixBankConnect;
  backend: SimulatedBackend;
  link: SimulatedLink;
}

/** One of the states that a customer can see: how the server answers, what the customer does, and where that leads. */
export interface State {
  status: ElementStatus;
  /** What the live region announces; without it, nothing. */
  announces?: RegExp;
  server?(backend: SimulatedBackend): void;
  properties?: Partial<FinixBankConnect>;
  act?(shown: Shown): void;
  /** The page before the element comes. */
  before?(name: string): void;
  /** The content of the element, as HTML. */
  inside?: string;
  /** The "still working" timers run out at once: this many of them. */
  slow?: number;
  /** A part that is there once the state is reached; or a word of the text. */
  shows?: string;
  /** There is more to see than in the other states, so that what follows the element may move. */
  isTaller?: boolean;
  /** Nothing is kept free for what can't come any more, so that what follows may move. */
  isLast?: boolean;
}

const never = new Promise<never>(() => {});
const press = ({ element }: Shown) => element.open();
const succeed = (shown: Shown) => {
  press(shown);
  shown.link.succeed();
};
/** The first "Remove" that there is. */
function succeedAndRemove(shown: Shown): void {
  const { element } = shown;
  const remove = async () => {
    await element.updateComplete;
    element.shadowRoot?.querySelector<HTMLElement>('.links .link:last-child')?.click();
  };
  element.addEventListener('fbc-connected', () => void remove(), { once: true });
  succeed(shown);
}
const completing = (answer: SimulatedBackend['completeAnswers'][number]) => (backend: SimulatedBackend) => {
  backend.completeAnswers.push(answer);
};
const refusing = (error: Parameters<typeof refusal>[0]) => (backend: SimulatedBackend) => {
  backend.linkTokenErrors.push(refusal(error));
};
const exiting = (code: string) => (shown: Shown) => {
  press(shown);
  shown.link.exit(code);
};
const sending = ({ element }: Shown) => void element.reportValidity();
const known = { clientSecret: 'ses_1_secret_abc' };
const inWindow = (backend: SimulatedBackend) => {
  backend.hostedLinkUrl = 'https://hosted.example/link';
  // One look is enough for a window that stays open.
  backend.retryAfter = 3_600;
};

/** A window that the browser is not asked for. */
function pressForWindow(shown: Shown): void {
  const { open } = window;
  window.open = () => ({ location: {}, focus() {}, close() {} }) as unknown as Window;
  press(shown);
  window.open = open;
}

/** Link reports that its token has run out, long after it was opened. */
function overstay(shown: Shown): void {
  press(shown);
  const { now } = Date;
  Date.now = () => now() + 60_000;
  shown.link.exit('INVALID_LINK_TOKEN', null, 'INVALID_INPUT');
  Date.now = now;
}

const card = '<a slot="fallback" href="#card">Pay by card instead</a>';
const accounts = [
  { id: 'a', name: 'Everyday Checking', mask: '0000', subtype: 'checking' },
  { id: 'b', name: 'Premier Savings with a name that is too long for its place', mask: '1111', subtype: 'savings' },
];
const authorization = {
  text: `I authorize Shop Inc. to debit my account for the amount of this order, and to credit it to correct errors. I can take this back before the debit.\n\n${'This is what the law asks to be said as well. '.repeat(20)}`,
  version: '1',
  text_sha256: 'ab',
};
const longBank = 'First National Bank of the Upper Midwest and Plains';

export const states: Record<string, State> = {
  loading: { status: 'loading', server: (backend) => (backend.hold = never) },
  'pressed while loading': {
    status: 'loading',
    server: (backend) => (backend.hold = never),
    act: press,
    announces: /^Opening/,
  },
  ready: { status: 'ready' },
  'form sent without a bank': {
    status: 'ready',
    properties: { required: true },
    act: sending,
    announces: /^Connect a bank account/,
    shows: 'error',
  },
  disabled: { status: 'ready', properties: { disabled: true } },
  open: { status: 'open', act: press },
  'open, in a window of its own': {
    status: 'open',
    properties: { mode: 'hosted' },
    server: inWindow,
    act: pressForWindow,
  },
  'back from the bank': {
    status: 'returning',
    announces: /^Finishing up/,
    before: (name) =>
      sessionStorage.setItem(
        AWAY_KEY,
        JSON.stringify({ clientSecret: 'ses_9_secret_x', until: Date.now() + 60_000, name, index: 0 }),
      ),
    server: ({ sessionAnswers }) => sessionAnswers.push(never),
  },
  connecting: { status: 'connecting', server: completing(never), act: succeed, announces: /^Connecting your bank/ },
  'connecting, taking longer': {
    status: 'connecting',
    server: completing(never),
    act: succeed,
    slow: 1,
    announces: /a little longer/,
  },
  'connecting, very slow': {
    status: 'connecting',
    server: completing(never),
    act: succeed,
    slow: 2,
    announces: /longer than expected/,
  },
  'choosing an account': {
    status: 'connecting',
    server: completing(refusal({ code: 'account_selection_required', action: 'choose_account', accounts })),
    act: succeed,
    shows: 'Use this account',
  },
  agreeing: {
    status: 'connecting',
    server: completing(refusal({ code: 'authorization_required', action: 'retry', authorization })),
    act: succeed,
    shows: 'Agree and continue',
  },
  connected: { status: 'connected', act: succeed, announces: /^Chase ••1234 is connected/ },
  'connected, long name': {
    status: 'connected',
    server: completing(session('completed', [connection('1', 'active', longBank, '0042')])),
    act: succeed,
    announces: /is connected/,
    isTaller: true,
  },
  'connected, two accounts': {
    status: 'connected',
    server: completing(
      session('completed', [
        connection('1', 'active', 'Bank of America', '0042'),
        connection('2', 'pending_verification', 'Bank of America', '1234'),
      ]),
    ),
    act: succeed,
    announces: /is connected/,
    isTaller: true,
  },
  'pending verification': {
    status: 'pending_verification',
    server: completing(session('completed', ['pending_verification'])),
    act: succeed,
    announces: /confirming this account/,
  },
  'needs repair': {
    status: 'needs_repair',
    server: completing(session('completed', ['needs_repair'])),
    act: succeed,
    announces: /Sign in to your bank again/,
  },
  'needs repair, without another session': {
    status: 'needs_repair',
    properties: known,
    server: ({ sessionAnswers }) => sessionAnswers.push(session('completed', ['needs_repair'])),
    announces: /Sign in to your bank again.*Reload this page/,
    isLast: true,
  },
  'repair, ready': {
    status: 'ready',
    properties: known,
    server: ({ sessionAnswers }) =>
      sessionAnswers.push({
        ...session('open', [connection('1', 'needs_repair', longBank, '0042')]),
        mode: 'repair',
      }),
    shows: 'Sign in to your bank again',
  },
  'after a return': {
    status: 'ready',
    properties: known,
    server: (backend) => {
      backend.returned = true;
    },
    announces: /last account was returned/,
  },
  canceled: {
    status: 'ready',
    act: (shown) => {
      press(shown);
      shown.link.exit();
    },
    announces: /^No bank account was connected/,
  },
  'timed out': { status: 'ready', act: overstay, announces: /session timed out/ },
  'error, retry': {
    status: 'error',
    server: refusing({ code: 'timeout', action: 'retry', retryable: true }),
    announces: /right now/,
  },
  'error, offline': {
    status: 'error',
    server: refusing({ code: 'offline', action: 'retry', retryable: true }),
    announces: /offline/,
  },
  'error, busy': {
    status: 'error',
    server: refusing({ code: 'rate_limited', action: 'wait', retryable: true }),
    announces: /again in a minute/,
  },
  'error, sign-in': { status: 'error', act: exiting('INVALID_CREDENTIALS'), announces: /sign-in/ },
  'error, locked at the bank': { status: 'error', act: exiting('ITEM_LOCKED'), inside: card, announces: /locked/ },
  'error, session expired': {
    status: 'error',
    properties: known,
    server: ({ sessionAnswers }) =>
      sessionAnswers.push(refusal({ code: 'session_expired', action: 'contact_merchant' })),
    announces: /session expired/,
    isLast: true,
  },
  'error, access refused at the bank': {
    status: 'error',
    act: exiting('ACCESS_NOT_GRANTED'),
    announces: /select the account/,
  },
  'error, not verified': {
    status: 'error',
    server: completing(refusal({ code: 'verification_failed', action: 'restart' })),
    act: succeed,
    announces: /verify this account/,
  },
  'error, account declined': {
    status: 'error',
    server: completing(failedSession('instrument_refused', 'use_other_method')),
    act: succeed,
    inside: card,
    announces: /declined/,
  },
  'error, account declined in the only session': {
    status: 'error',
    properties: known,
    server: ({ sessionAnswers }) => sessionAnswers.push(failedSession('instrument_refused', 'use_other_method')),
    inside: card,
    announces: /contact Acme/,
    isLast: true,
  },
  'removed, in the only session': {
    status: 'loading',
    properties: known,
    act: succeedAndRemove,
    announces: /won’t be used/,
    shows: 'Use this account',
  },
  'error, no tokens left': {
    status: 'error',
    properties: known,
    server: ({ sessionAnswers }) => sessionAnswers.push(session('completed', ['removed'])),
    announces: /contact Acme|contact localhost/,
    isLast: true,
  },
  'error, for the merchant': {
    status: 'error',
    server: refusing({ code: 'provider_misconfigured', action: 'contact_merchant' }),
    inside: card,
    announces: /contact Acme|contact localhost/,
    isLast: true,
  },
  blocked: {
    status: 'blocked',
    server: refusing({ code: 'script_blocked', action: 'retry' }),
    inside: card,
    announces: /content blocker/,
  },
  'blocked, with a window': {
    status: 'blocked',
    server: (backend) => {
      refusing({ code: 'script_blocked', action: 'retry' })(backend);
      inWindow(backend);
    },
    announces: /content blocker/,
    shows: 'Continue in a new window',
    isTaller: true,
  },
  embedded: { status: 'ready', properties: { mode: 'embedded' } },
  'embedded, sent without': {
    status: 'ready',
    properties: { mode: 'embedded', required: true },
    act: sending,
    announces: /^Connect a bank account/,
    shows: 'error',
  },
  'embedded, error': {
    status: 'error',
    properties: { mode: 'embedded' },
    server: refusing({ code: 'timeout', action: 'retry', retryable: true }),
    announces: /right now/,
    isLast: true,
  },
};
