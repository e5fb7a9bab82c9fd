/**
 * The wire contract, v1: what travels between the page, the merchant's server and this server. Types only, so that
 * importing it costs no bytes. Names are snake_case as on the wire; times are ISO 8601 in UTC. The server's zod schemas
 * are bound to these types in server/http/request-schemas.ts.
 */

export type * from './contract/connection.ts';
export type * from './contract/merchant.ts';
export type * from './contract/problem.ts';
export type * from './contract/session.ts';
