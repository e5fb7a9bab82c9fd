import type { LinkMode } from '../contract.ts';
import type { Strings } from '../i18n/index.ts';
import type { ConnectBackend } from '../session/backend.ts';
import { FormControl } from './form-control.ts';

/** What a page can set, as attributes and as properties. */
export abstract class ElementProperties extends FormControl {
  static override properties = {
    endpoint: {},
    clientSecret: { attribute: 'client-secret' },
    mode: {},
    firstName: { attribute: 'first-name' },
    lastName: { attribute: 'last-name' },
    email: {},
    fetchClientSecret: { attribute: false },
    backend: { attribute: false },
    strings: { attribute: false },
    theme: { reflect: true },
  };

  /** Address of the server. The script-tag build uses the folder that it came from; the npm build has no other. */
  declare endpoint: string | null;
  /**
   * Permission for one customer and one session. Without it and without `fetchClientSecret`, a public session is asked
   * for.
   */
  declare clientSecret: string | null;
  /**
   * `button` (the default), `embedded` (a search for the bank is part of the page) or `hosted` (Link on a page of
   * Plaid's own).
   */
  declare mode: LinkMode | null;
  /** For a public session. */
  declare firstName: string | null;
  /** For a public session. */
  declare lastName: string | null;
  /** For a public session. */
  declare email: string | null;
  /** Gives a client secret whenever one is needed; also after "Change", and when a session is over. */
  declare fetchClientSecret: (() => Promise<string>) | null;
  /** Takes the place of the HTTP calls to `endpoint`. */
  declare backend: ConnectBackend | null;
  /** `dark` or `light`, where the page does not declare it with `color-scheme`. */
  declare theme: 'dark' | 'light' | null;
  /** Texts to use in place of ours. */
  declare strings: Partial<Strings> | null;
}
