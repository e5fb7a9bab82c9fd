import { Component, CUSTOM_ELEMENTS_SCHEMA } from '@angular/core';
import 'finix-bank-connect';

@Component({
  selector: 'shop-checkout',
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <form action="/checkout" method="post">
      <finix-bank-connect
        endpoint="https://connect.merchant.example"
        name="bank_account"
        required
        [fetchClientSecret]="fetchClientSecret"
      ></finix-bank-connect>
      <button>Pay</button>
    </form>
  `,
})
export class Checkout {
  async fetchClientSecret(): Promise<string> {
    const response = await fetch('/api/session', { method: 'POST' });
    if (!response.ok) throw new Error(`session: ${response.status}`);
    const { client_secret } = await response.json();
    return client_secret;
  }
}
