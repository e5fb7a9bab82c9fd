import { type FlowError, flowError, toFlowError, unreachedCode } from '../errors.ts';
import { COMPLETE, type FailedRequest, LINK_EXIT, problemIn, requestId } from './http-backend.ts';

// In V8's, SpiderMonkey's and JavaScriptCore's words, and of `fetch` about what it is given.
const FAULT = /is not an? |is undefined|is null|annot read|can't access|execute/;

const FORBIDDEN = 403;

/** Why a request has got no response. */
export async function errorOfRequest(cause: unknown, request: FailedRequest): Promise<FlowError> {
  // The browser's own words for this differ and may hold addresses, so they are not passed on.
  const isLost = request.isAborted || isUnanswered(cause);
  return isLost ? ((await refusalOfOrigin(request)) ?? flowError(unreachedCode(), 'retry')) : toFlowError(cause);
}

/**
 * Not our server's words: a gateway, a captive portal, a wrong endpoint. Gateways recover, and a portal lets its
 * customer through.
 */
export function errorOfResponse(response: Response): FlowError {
  const { ok, status } = response;
  const passes = ok || status >= 500;
  const code = passes ? 'network_failed' : status === 404 ? 'not_found' : 'internal_error';
  const error = flowError(code, passes ? 'retry' : 'contact_merchant', requestId(response));
  return { ...error, reason: 'not_ours' };
}

/**
 * Where the server does not allow this page's origin, the browser sends nothing of a request and gives no reason. A
 * request without headers of ours needs no permission, and its refusal can be read.
 */
async function refusalOfOrigin({ base, path, send }: FailedRequest): Promise<FlowError | null> {
  const [, session = ''] = path.split('/');
  // Later calls come from pages whose first call arrived.
  if (path === `/${session}${COMPLETE}` || path.endsWith(LINK_EXIT)) return null;
  const url = session ? `${base}/${session}` : base;
  const response = await send(url, { credentials: 'omit', cache: 'no-store' }).catch(() => null);
  if (response?.status !== FORBIDDEN) return null;
  const problem = problemIn(await response.json().catch(() => null), response);
  return problem?.code === 'origin_not_allowed' ? problem : null;
}

/**
 * Whether the network is why a request has thrown. Browsers throw a `TypeError` for it, and for faults as well: code of
 * a page that has replaced `fetch`, or an address that is none. Their words for the network differ, and Safari
 * translates them; the words for a fault are few.
 */
function isUnanswered(thrown: unknown): boolean {
  const { name = '', message = '' } = (thrown ?? {}) as Partial<Error>;
  return /^(Type|Network|Abort|Timeout)Error$/.test(name) && !FAULT.test(message);
}
