// src/App.tsx
import { FinixBankConnect } from 'finix-bank-connect/react';

async function fetchClientSecret(): Promise<string> {
  const response = await fetch('/api/session', { method: 'POST' });
  if (!response.ok) throw new Error(`session: ${response.status}`);
  const { client_secret } = await response.json();
  return client_secret;
}

export default function App() {
  return (
    <form action="/checkout" method="post">
      <FinixBankConnect
        endpoint="http://localhost:4000" // your connect server's address
        fetchClientSecret={fetchClientSecret}
        name="bank_account"
        required
        onError={({ detail }) => console.warn(detail.error.code, detail.error.requestId)}
      />
      <button type="submit">Pay</button>
    </form>
  );
}
