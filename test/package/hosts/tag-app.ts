import { createElement, type ReactElement, type ReactNode } from 'react';

export interface TagProps {
  /** Functions and objects that are other ones in every render, as inline ones are. */
  [property: string]: unknown;
  children?: ReactNode;
}

/** A merchant's form with the tag itself, as React 19 renders it in a browser and on a server. */
export function Checkout({ children, ...props }: TagProps): ReactElement {
  return createElement(
    'form',
    null,
    createElement(
      'finix-bank-connect',
      { name: 'bank', endpoint: '/pay', 'client-secret': 'ses_1_secret_a', ...props },
      children,
    ),
  );
}
