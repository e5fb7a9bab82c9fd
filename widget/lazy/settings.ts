import type { CreatePublicSessionRequest } from '../contract.ts';
import { languageOf } from '../element/language.ts';
import type { ElementProperties } from '../element/properties.ts';
import type { ControllerSettings } from '../flow/controller-host.ts';
import { createCalls } from '../session/http-backend.ts';
import { detours } from './load-detour.ts';

/** As the server takes one; a page may write anything into `lang`. */
const LANGUAGE_TAG = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i;

/** What the element's attributes and properties mean for the controller, read whenever it asks. */
export function createSettings(element: ElementProperties, endpointOf: () => string): () => ControllerSettings {
  let http: { endpoint: string; backend: ControllerSettings['backend'] } | null = null;
  return () => {
    const endpoint = endpointOf();
    if (endpoint && http?.endpoint !== endpoint) http = { endpoint, backend: createCalls(endpoint, detours.load) };
    const { mode } = element;
    const [first_name, last_name, email] = [element.firstName, element.lastName, element.email].map(
      (value) => value || undefined,
    );
    const tag = languageOf(element).replaceAll('_', '-');
    const language = LANGUAGE_TAG.test(tag) ? tag : undefined;
    const publicSession: CreatePublicSessionRequest = { language };
    if (first_name || last_name || email) publicSession.identity = { first_name, last_name, email };
    return {
      endpoint,
      backend: element.backend ?? ((endpoint && http?.backend) || null),
      clientSecret: String(element.clientSecret ?? '').trim() || null,
      fetchClientSecret: element.fetchClientSecret ?? null,
      publicSession,
      // A page may be newer than this copy of the element: what is not known is a button.
      mode: mode === 'embedded' || mode === 'hosted' ? mode : 'button',
      language,
      nonce: element.nonce || undefined,
    };
  };
}
