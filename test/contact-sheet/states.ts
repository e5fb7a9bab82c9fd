import type { ElementStatus } from '../../widget/flow-state.ts';
import type { FinixBankConnect } from '../../widget/index.ts';
import { connection, refusal, type SimulatedBackend, session } from '../widget/helpers/simulated-backend.ts';
import type { SimulatedLink } from '../widget/helpers/simulated-link.ts';

export interface Shown {
  element: FinixBankConnect;
  backend: SimulatedBackend;
  link: SimulatedLink;
}

/** One row of the contact sheet: how the server answers, what the customer does, and where that leads. */
export interface Row {
  status: ElementStatus;
  server?(backend: SimulatedBackend): void;
  properties?: Partial<FinixBankConnect>;
  act?(shown: Shown): void;
  /** What stands in the element, as HTML. */
  inside?: string;
  /** The timers that say "still working" run out at once: this many of them. */
  slow?: number;
}

const never = new Promise<never>(() => {});
const press = ({ element }: Shown) => element.open();
const succeed = (shown: Shown) => {
  press(shown);
  shown.link.succeed();
};
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
const card = '<a slot="fallback" href="#">Pay by card instead</a>';
const accounts = [
  { id: 'a', name: 'Everyday Checking', mask: '0000', subtype: 'checking' },
  { id: 'b', name: 'Premier Savings with a name that is too long for its place', mask: '1111', subtype: 'savings' },
];
const text =
  'I authorize Shop Inc. to debit my account for the amount of this order, and to credit it to correct errors. I can take this back before the debit.';

export const rows: Record<string, Row> = {
  loading: { status: 'loading', server: (backend) => (backend.hold = never) },
  'pressed while loading': { status: 'loading', server: (backend) => (backend.hold = never), act: press },
  ready: { status: 'ready' },
  'ready, form sent without': {
    status: 'ready',
    properties: { required: true },
    act: ({ element }) => element.reportValidity(),
  },
  disabled: { status: 'ready', properties: { disabled: true } },
  open: { status: 'open', act: press },
  connecting: { status: 'connecting', server: completing(never), act: succeed },
  'connecting, slow': { status: 'connecting', server: completing(never), act: succeed, slow: 1 },
  'connecting, very slow': { status: 'connecting', server: completing(never), act: succeed, slow: 2 },
  connected: { status: 'connected', act: succeed },
  'connected, two, long names': {
    status: 'connected',
    server: completing(
      session('completed', [
        connection('1', 'active', 'First National Bank of the Upper Midwest and Plains', '0042'),
        connection('2', 'active', 'Bank of America', '1234'),
      ]),
    ),
    act: succeed,
  },
  'pending verification': {
    status: 'pending_verification',
    server: completing(session('completed', ['pending_verification'])),
    act: succeed,
  },
  'needs repair': { status: 'needs_repair', server: completing(session('completed', ['needs_repair'])), act: succeed },
  canceled: {
    status: 'ready',
    act: (shown) => {
      press(shown);
      shown.link.exit();
    },
  },
  'error, retry': { status: 'error', server: refusing({ code: 'timeout', action: 'retry', retryable: true }) },
  'error, offline': { status: 'error', server: refusing({ code: 'offline', action: 'retry', retryable: true }) },
  'error, sign-in': { status: 'error', act: exiting('ITEM_ERROR') },
  'error, locked at the bank': { status: 'error', act: exiting('ITEM_LOCKED'), inside: card },
  'error, for the merchant': {
    status: 'error',
    server: refusing({ code: 'provider_misconfigured', action: 'contact_merchant' }),
    inside: card,
  },
  blocked: { status: 'blocked', server: refusing({ code: 'script_blocked', action: 'retry' }), inside: card },
  'choosing an account': {
    status: 'connecting',
    server: completing(refusal({ code: 'account_selection_required', action: 'choose_account', accounts })),
    act: succeed,
  },
  agreeing: {
    status: 'connecting',
    server: completing(
      refusal({
        code: 'authorization_required',
        action: 'retry',
        authorization: { text, version: '1', text_sha256: 'ab' },
      }),
    ),
    act: succeed,
  },
};
