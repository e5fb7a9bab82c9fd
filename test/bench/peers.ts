/** What others offer for the same task and publish on npm: each as small as its documentation lets a page be. */
export interface Peer {
  name: string;
  /** Exact, so that two runs compare the same. */
  packages: Record<string, string>;
  /** The least that a page must load before the customer sees something to press. */
  entry: string;
  /** Why a click on it can't be measured here; null where it can. */
  noClick: string | null;
}

export const peers: readonly Peer[] = [
  {
    name: 'react-plaid-link with React',
    packages: { 'react-plaid-link': '5.0.0', react: '19.3.1', 'react-dom': '19.3.1' },
    entry: `
      import { createElement } from 'react';
      import { createRoot } from 'react-dom/client';
      import { usePlaidLink } from 'react-plaid-link';
      function Connect() {
        const { open, ready } = usePlaidLink({ token: 'link-sandbox-1', onSuccess() {} });
        return createElement('button', { type: 'button', disabled: !ready, onClick: () => open() }, 'Connect your bank');
      }
      createRoot(document.getElementById('place')).render(createElement(Connect));`,
    noClick: null,
  },
  {
    name: 'Adyen Drop-in with ACH',
    packages: { '@adyen/adyen-web': '6.45.2' },
    entry: `
      import { Ach, AdyenCheckout, Dropin } from '@adyen/adyen-web';
      import '@adyen/adyen-web/styles/adyen.css';
      const checkout = await AdyenCheckout({
        clientKey: 'test_x',
        environment: 'test',
        countryCode: 'US',
        amount: { value: 1000, currency: 'USD' },
        paymentMethodsResponse: { paymentMethods: [{ type: 'ach', name: 'ACH' }] },
      });
      new Dropin(checkout, { paymentMethodComponents: [Ach] }).mount('#place');`,
    noClick: 'a form for the account number, which opens no bank',
  },
  {
    name: 'JustiFi Plaid element',
    packages: { '@justifi/webcomponents': '6.14.3' },
    entry: `
      import { defineCustomElement } from '@justifi/webcomponents/dist/module/justifi-plaid-payment-method';
      defineCustomElement();`,
    noClick: 'needs a checkout at its own server first',
  },
];
