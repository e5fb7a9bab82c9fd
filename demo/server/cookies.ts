import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';

/** Where the demo keeps who a visitor is, and which colors they like. */
export interface Cookies {
  get(c: Context, name: string): string | undefined;
  /** Until the browser is closed, or for so many seconds. */
  set(c: Context, name: string, value: string, maxAge?: number): void;
  delete(c: Context, name: string): void;
}

export const headerCookies: Cookies = {
  get: getCookie,
  set: (c, name, value, maxAge) =>
    setCookie(c, name, value, { path: '/', httpOnly: true, sameSite: 'Lax', ...(maxAge ? { maxAge } : {}) }),
  delete: (c, name) => void deleteCookie(c, name, { path: '/' }),
};
