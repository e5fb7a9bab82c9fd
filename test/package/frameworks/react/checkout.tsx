// #region component
'use client';

import { FinixBankConnect } from 'finix-bank-connect/react';
import { useState } from 'react';

async function fetchClientSecret(): Promise<string> {
  const response = await fetch('/api/session', { method: 'POST' });
  if (!response.ok) throw new Error(`session: ${response.status}`);
  const { client_secret } = await response.json();
  return client_secret;
}

export function BankField() {
  const [canPay, setCanPay] = useState(false);
  return (
    <>
      <FinixBankConnect
        endpoint="https://connect.merchant.example"
        fetchClientSecret={fetchClientSecret}
        name="bank_account"
        required
        onConnected={() => setCanPay(true)}
        onChange={() => setCanPay(false)}
        onError={({ detail }) => console.warn(detail.error.code, detail.error.requestId)}
      />
      <button type="submit" disabled={!canPay}>
        Pay
      </button>
    </>
  );
}
// #endregion
