import type { HttpAnswer, HttpClient } from './http-client.ts';
import type { Tap } from './outbound.ts';
import { parseProviderJson } from './provider-json.ts';

/** All that Plaid's SDK asks of its HTTP client: it makes paths, headers and bodies, and has them sent here. */
export interface PlaidTransport {
  /** Every status is an answer. @throws NoAnswer */
  request(request: SdkRequest): Promise<SdkAnswer>;
}

/** As the SDK makes it. */
interface SdkRequest {
  method: string;
  /** With the base address. */
  url: string;
  headers: Record<string, string>;
  /** JSON. */
  data: string;
  /** Milliseconds. */
  timeout: number;
}

/** The SDK returns it as it is, with another name for its type. */
export interface SdkAnswer {
  status: number;
  headers: HttpAnswer['headers'];
  /** Undefined where the body is not JSON. */
  data: unknown;
  config: SdkRequest;
}

export function createPlaidTransport(baseUrl: string, http: HttpClient, tap: Tap | undefined): PlaidTransport {
  return {
    async request(config) {
      const { method, url, headers, data: body, timeout: timeoutMs } = config;
      const path = url.slice(baseUrl.length);
      const answered = tap?.({ service: 'plaid', method, path, body });
      try {
        const answer = await http.send({ method, path, headers, body, timeoutMs });
        answered?.({ status: answer.status, body: answer.text });
        return { status: answer.status, headers: answer.headers, data: parseProviderJson(answer.text), config };
      } catch (error) {
        answered?.({ status: null, body: '' });
        throw error;
      }
    },
  };
}
