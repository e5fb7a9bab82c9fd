import type { ConnectBackend, FinixBankConnect } from 'finix-bank-connect';
import type {} from 'finix-bank-connect/jsx/preact';

declare const backend: ConnectBackend;
const secret = async () => 'ses_…_secret_…';

/** All that a merchant may write, and nothing that the compiler complains of. */
export const right = (
  <finix-bank-connect
    id="bank"
    lang="es"
    endpoint="https://connect.merchant.example"
    client-secret="ses_…_secret_…"
    mode="embedded"
    name="bank_account"
    required
    disabled={false}
    backend={backend}
    fetchClientSecret={secret}
    onfbc-connected={(event) => {
      const bank: string | null | undefined = event.detail.connections[0]?.institution.name;
      return console.log(bank);
    }}
    onfbc-error={({ detail }) => console.log(detail.error.code === 'script_blocked')}
    onfbc-open={(event) => event.preventDefault()}
    ref={(element: FinixBankConnect | null) => console.log(element?.status === 'ready')}
  >
    <span slot="label">Pay by bank</span>
  </finix-bank-connect>
);

export const wrong = (
  <>
    {/* @ts-expect-error There is no such mode. */}
    <finix-bank-connect mode="popup" />
    {/* @ts-expect-error There is no such attribute. */}
    <finix-bank-connect secret="ses_…" />
    {/* @ts-expect-error Yes or no. */}
    <finix-bank-connect required="sometimes" />
    {/* @ts-expect-error It gives a promise. */}
    <finix-bank-connect fetchClientSecret={() => 'ses_…'} />
    {/* @ts-expect-error This event has connections, not a step. */}
    <finix-bank-connect onfbc-connected={(event) => event.detail.step} />
    {/* @ts-expect-error There is no such code. */}
    <finix-bank-connect onfbc-error={({ detail }) => detail.error.code === 'oops'} />
  </>
);
