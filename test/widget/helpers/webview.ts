/** Makes the page believe that it is shown inside an app; returns what undoes it. */
export function asWebview(): () => void {
  const userAgent = 'Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) Chrome/147';
  Object.defineProperty(navigator, 'userAgent', { value: userAgent, configurable: true });
  return () => Reflect.deleteProperty(navigator, 'userAgent');
}
