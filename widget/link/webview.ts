/**
 * Browsers inside other apps: they open no windows, so a bank's own page has to take the place of the merchant's.
 * Android names its own (`; wv)`); on Apple's devices only browsers send "Safari"; the rest are the apps that people
 * shop from.
 */
const WEBVIEW = /; wv\)|\bFBA[NV]\/|\bInstagram\b|\bLine\/|(iPhone|iPad)(?!.*Safari\/)/;

export function isWebview(userAgent = navigator.userAgent): boolean {
  return WEBVIEW.test(userAgent);
}
