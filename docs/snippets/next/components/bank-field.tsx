// components/bank-field.tsx
'use client';

import 'finix-bank-connect';
import type { FinixBankConnect } from 'finix-bank-connect';
import type {} from 'finix-bank-connect/jsx/react';
import { useEffect, useRef } from 'react';

interface BankFieldProps {
  fetchClientSecret: () => Promise<string>;
  onConnected: () => void;
}

export function BankField({ fetchClientSecret, onConnected }: BankFieldProps) {
  const ref = useRef<FinixBankConnect>(null);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    element.fetchClientSecret = fetchClientSecret;
    element.addEventListener('fbc-connected', onConnected);
    return () => element.removeEventListener('fbc-connected', onConnected);
  }, [fetchClientSecret, onConnected]);
  return <finix-bank-connect ref={ref} endpoint="http://localhost:4000" name="bank_account" required />;
}
