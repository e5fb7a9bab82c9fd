// app/checkout/page.tsx: a server component, so that the key never reaches the browser
import { FinixBankConnect } from 'finix-bank-connect/react';
import { createSession } from './create-session';

export default async function Page() {
  const { client_secret } = await createSession();
  return (
    <form action="/checkout" method="post">
      <FinixBankConnect name="bank_account" endpoint="https://connect.example" clientSecret={client_secret} required />
      <button>Pay</button>
    </form>
  );
}
