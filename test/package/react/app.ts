import { createElement, type ReactElement, useEffect, useRef } from 'react';
import { FinixBankConnect, type FinixBankConnectElement, type FinixBankConnectProps } from '../../../widget/react.ts';

export interface Received {
  turn: number;
  type: string;
}

interface AppProps extends Pick<FinixBankConnectProps, 'backend' | 'fetchClientSecret' | 'required'> {
  shown: boolean;
  turn: number;
  receive(event: Received): void;
}

/** A merchant's form, as the tests of React render it in a browser and on a server. */
export function App({ shown, turn, receive, ...props }: AppProps): ReactElement {
  const ref = useRef<FinixBankConnectElement>(null);
  useEffect(() => {
    if (ref.current) receive({ turn, type: `ref ${ref.current.localName}` });
  }, [turn, receive]);
  const on = (event: Event) => receive({ turn, type: event.type });
  return createElement(
    'form',
    null,
    shown
      ? createElement(
          FinixBankConnect,
          {
            ...props,
            ref,
            name: 'bank',
            className: 'pay',
            id: 'bank',
            lang: 'en',
            onOpen: on,
            onConnected: on,
            onStep: on,
            onCanceled: on,
          },
          createElement('span', { slot: 'label' }, 'Pay by bank'),
        )
      : null,
  );
}
