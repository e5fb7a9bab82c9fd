import { Component, CUSTOM_ELEMENTS_SCHEMA } from '@angular/core';
import type { FbcErrorEvent } from 'finix-bank-connect';

@Component({
  selector: 'shop-mistakes',
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <finix-bank-connect (fbc-connected)="log($event.detail.step)" />
    <finix-bank-connect (fbc-connected)="failed($event)" />
    <finix-bank-connect #bank />
    <button (click)="log(bank.state)">Pay</button>
  `,
})
export class Wrong {
  failed({ detail }: FbcErrorEvent): void {
    this.log(detail.error.code);
  }

  log(word: string): void {
    console.log(word);
  }
}
