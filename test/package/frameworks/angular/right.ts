import { Component, CUSTOM_ELEMENTS_SCHEMA } from '@angular/core';
import type { ConnectBackend, FbcConnectedEvent, FinixBankConnect } from 'finix-bank-connect';

@Component({
  selector: 'shop-page',
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <finix-bank-connect
      #bank
      endpoint="https://connect.merchant.example"
      name="bank_account"
      [attr.client-secret]="secret"
      [fetchClientSecret]="fetchClientSecret"
      [backend]="backend"
      (fbc-connected)="connected($event)"
      (fbc-error)="log($event.detail.error.code)"
      (fbc-open)="$event.preventDefault()"
    >
      <span slot="label">Pay by bank</span>
    </finix-bank-connect>
    <button (click)="press(bank)">{{ bank.status }}</button>
  `,
})
export class Right {
  secret = 'ses_…_secret_…';
  backend: ConnectBackend | null = null;
  fetchClientSecret = async () => 'ses_…_secret_…';

  connected({ detail }: FbcConnectedEvent): void {
    this.log(detail.connections[0]?.account.mask ?? '');
  }

  press(element: FinixBankConnect): void {
    element.open();
  }

  log(word: string): void {
    console.log(word);
  }
}
