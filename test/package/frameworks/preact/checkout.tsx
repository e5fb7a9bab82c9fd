import 'finix-bank-connect';
import type {} from 'finix-bank-connect/jsx/preact';

declare const fetchClientSecret: () => Promise<string>;

// #region tag
export const bankField = (
  <finix-bank-connect
    endpoint="https://connect.merchant.example"
    fetchClientSecret={fetchClientSecret}
    name="bank_account"
    required
    onfbc-connected={({ detail }) => console.log(detail.connections[0]?.id)}
  />
);
// #endregion
