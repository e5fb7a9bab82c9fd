/** The parts of React Native and Plaid's SDK for it that native.ts uses; neither is installed here. */

declare module 'react-native' {
  export const Platform: { OS: 'ios' | 'android' };
}

declare module 'react-native-plaid-link-sdk' {
  interface Account {
    id: string;
    name?: string;
    mask?: string;
    type: string;
    subtype: string;
  }
  interface Success {
    publicToken: string;
    metadata: { accounts: Account[]; institution?: { id: string; name: string }; linkSessionId: string };
  }
  export function createPlaidLinkSession(options: {
    token: string;
    onSuccess(success: Success): void;
    onExit(exit: { error?: Error }): void;
  }): Promise<{ open(): void }>;
}
