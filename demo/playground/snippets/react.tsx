import { FinixBankConnect } from 'finix-bank-connect/react';

export function Checkout({ clientSecret }: { clientSecret: string }) {
  return (
    <form action="/checkout" method="post">
      <FinixBankConnect name="bank_account" endpoint="https://connect.example" clientSecret={clientSecret} required />
      <button>Pay</button>
    </form>
  );
}
