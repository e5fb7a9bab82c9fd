import type { Simulator } from 'finix-bank-connect-server/simulator';
// #region start
import { SIMULATOR_CREDENTIALS, startSimulator } from 'finix-bank-connect-server/simulator';

const { plaidUrl, finixUrl, linkScriptUrl, simulator, close } = await startSimulator();
// PLAID_BASE_URL=plaidUrl  FINIX_BASE_URL=finixUrl, with SIMULATOR_CREDENTIALS as client id, secret, user name and
// password
// <script src="{linkScriptUrl}"></script> before the widget: an existing window.Plaid wins
await close();
// #endregion

export const used = { plaidUrl, finixUrl, linkScriptUrl, SIMULATOR_CREDENTIALS };

export function debits(transferId: string): void {
  // #region debits
  simulator.ach.succeed(transferId); // handed to the network
  simulator.ach.returnDebit(transferId, 'R10'); // days later the bank sends it back
  simulator.ach.returnDebit(transferId, 'R10', { form: 'failed', codeIn: 'messages' });
  // #endregion
}

export function faults(): void {
  // #region faults
  simulator.faults.add({
    service: 'finix',
    path: '/payment_instruments',
    method: 'POST',
    kind: 'timeout',
    when: 'after',
    times: 1,
  });
  // #endregion
}

export async function later(simulator: Simulator, itemId: string): Promise<void> {
  // #region later
  simulator.bank.revokePermission(itemId); // also breakLogin, repairLogin, revokeAccount, renumber, verify, announceDisconnect, …
  simulator.webhooks.settings.copies = 2; // each is sent twice
  simulator.webhooks.settings.delayMs = 5_000; // each is sent late
  simulator.webhooks.hold(); // keeps what is made from now on …
  await simulator.webhooks.release('reversed'); // … and sends it the other way round
  simulator.webhooks.rotateKey(); // Plaid's next ones are signed with another key
  // #endregion
}
