import type { FieldError, LinkTokenRequest } from '../../widget/contract.ts';

/**
 * What a native app may ask of a link token. Every address that Link may return to is in NATIVE_APPS: the app is in the
 * hands of its user, and its word alone must not send a customer anywhere.
 */
export function complaintsAboutApp(request: LinkTokenRequest, apps: readonly string[]): FieldError[] {
  const { mode, platform, redirect_uri, android_package_name, return_url } = request;
  const errors: FieldError[] = [];
  const complain = (path: keyof LinkTokenRequest, message: string) => void errors.push({ path, message });
  const given = { redirect_uri, android_package_name };
  for (const path of ['redirect_uri', 'android_package_name'] as const) {
    const value = given[path];
    if (value === undefined) continue;
    if (platform === undefined) complain(path, 'is for native apps: give platform as well');
    else if (!apps.includes(value)) complain(path, 'must be one of NATIVE_APPS');
  }
  if (platform === undefined) return errors;
  // Plaid takes one of them, by the system that the app runs on.
  if (platform === 'ios' && android_package_name !== undefined) {
    complain('android_package_name', 'is for Android: give redirect_uri');
  }
  if (platform === 'android' && redirect_uri !== undefined && mode !== 'hosted') {
    complain('redirect_uri', 'is for iOS: give android_package_name');
  }
  if (redirect_uri !== undefined && android_package_name !== undefined) {
    complain('android_package_name', 'must not be given together with redirect_uri');
  }
  if (mode === 'hosted' && android_package_name !== undefined) {
    complain('android_package_name', 'does not go with a Hosted Link: give redirect_uri');
  }
  if (mode !== 'hosted' && return_url !== undefined) complain('return_url', 'is for mode hosted');
  return errors;
}
