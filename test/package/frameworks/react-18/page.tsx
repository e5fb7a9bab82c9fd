import type { ConnectBackend } from 'finix-bank-connect';
import { FinixBankConnect, type FinixBankConnectElement } from 'finix-bank-connect/react';
import { createRef } from 'react';

declare const backend: ConnectBackend;
const element = createRef<FinixBankConnectElement>();

/** All that a merchant may write, and nothing that the compiler complains of. */
export const right = (
  <FinixBankConnect
    id="bank"
    className="pay"
    endpoint="https://connect.merchant.example"
    clientSecret="ses_…_secret_…"
    fetchClientSecret={async () => 'ses_…_secret_…'}
    backend={backend}
    mode="hosted"
    name="bank_account"
    required
    ref={element}
    onOpen={(event) => event.preventDefault()}
    onConnected={({ detail }) => console.log(detail.connections[0]?.account.mask, element.current?.status === 'ready')}
    onError={({ detail }) => console.log(detail.error.action === 'retry')}
  >
    <span slot="label">Pay by bank</span>
  </FinixBankConnect>
);

export const wrong = [
  // @ts-expect-error There is no such mode.
  <FinixBankConnect key="1" mode="popup" />,
  // @ts-expect-error There is no such property.
  <FinixBankConnect key="2" secret="ses_…" />,
  // @ts-expect-error It gives a promise.
  <FinixBankConnect key="3" fetchClientSecret={() => 'ses_…'} />,
  // @ts-expect-error This event has connections, not a step.
  <FinixBankConnect key="4" onConnected={({ detail }) => console.log(detail.step)} />,
  // @ts-expect-error Of an input, not of this.
  <FinixBankConnect key="5" ref={createRef<HTMLInputElement>()} />,
];
