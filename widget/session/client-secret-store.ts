import { attempt, KEY_PREFIX } from './tab-storage.ts';

/** Where the client secret of a public session outlives a reload. */
export interface SecretStore {
  read(): string | null;
  write(clientSecret: string): void;
  clear(): void;
}

// Long enough for a reload in the middle and for a visit to another page of the store; short enough for a shared
// device.
const KEPT_FOR = 30 * 60_000;

/**
 * In public mode only the page knows the client secret, so without this a reload in the middle would leave a bank
 * connected that no page can show. It is in `sessionStorage`: this tab and this origin only, gone with the tab. It
 * permits nothing that the scripts of this page could not do anyway (they could ask for a public session of their own);
 * no token is ever stored with it. The key holds a checksum of who the session is for, so that the next customer on the
 * same tab is not shown the last one's bank.
 */
export function createSecretStore(identify: () => (string | null | undefined)[]): SecretStore {
  const key = () => `${KEY_PREFIX}${checksum(identify().join('\n'))}`;
  return {
    read() {
      return attempt(() => {
        const [until, secret] = (sessionStorage.getItem(key()) ?? '').split(' ');
        return Number(until) > Date.now() ? (secret ?? null) : null;
      });
    },
    write(clientSecret) {
      attempt(() => sessionStorage.setItem(key(), `${Date.now() + KEPT_FOR} ${clientSecret}`));
    },
    clear() {
      attempt(() => sessionStorage.removeItem(key()));
    },
  };
}

/** FNV-1a, 32 bits: distinguishes customers without spelling out their names. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36);
}
