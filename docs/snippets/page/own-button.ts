import { createConnect } from 'finix-bank-connect/headless';

declare const button: HTMLButtonElement;
declare const fetchClientSecret: () => Promise<string>;
declare function render(state: Pick<typeof connect, 'status' | 'error' | 'question'>): void;

// #region connect
const connect = createConnect({
  endpoint: 'https://connect.merchant.example',
  fetchClientSecret,
  onConnected: ([bank]) => console.log(bank?.institution.name, bank?.account.mask),
});
button.addEventListener('pointerenter', () => connect.prepare()); // Link is ready when the press comes
button.addEventListener('click', () => connect.open());
const unsubscribe = connect.subscribe(() => render(connect));

// When the button leaves the page:
export function leave(): void {
  unsubscribe();
  connect.destroy();
}
// #endregion
