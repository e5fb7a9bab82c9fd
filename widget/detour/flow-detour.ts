/** What the flow needs off the straight way: the contract is `FlowDetour` (flow/detours.ts). */
export { explain } from '../diagnose.ts';
export { errorOfRequest, errorOfResponse } from '../session/request-failures.ts';
export { arrive, arriveAmong, consumeReturn } from './arrive.ts';
export { obtainLink } from './obtain-link.ts';
export { hostedLink, perform } from './other-links.ts';
export { createPublicAgain } from './public-session.ts';
export { transition } from './reducer.ts';
export { refuseSecret } from './secret-report.ts';
