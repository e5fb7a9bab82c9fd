/** A timer that keeps no process alive. In a browser a timer is a number, and there is no process. */
export function quietTimer(action: () => void, ms: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(action, ms);
  if (typeof timer === 'object') timer.unref();
  return timer;
}
