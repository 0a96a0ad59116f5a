/**
 * Listening to a signal that many share: one listener on the signal itself serves all, so that a
 * thousand calls with one signal are not taken for a leak of listeners.
 */
interface Fan {
  readonly listeners: Set<() => void>;
  readonly fire: () => void;
}

const fans = new WeakMap<AbortSignal, Fan>();

/**
 * Calls `listener` when `signal` aborts, once. Returns what takes that back. Call it only before
 * the signal aborted.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const fan = fans.get(signal) ?? open(signal);
  fan.listeners.add(listener);
  return () => {
    fan.listeners.delete(listener);
    if (fan.listeners.size > 0 || fans.get(signal) !== fan) return;
    fans.delete(signal);
    signal.removeEventListener('abort', fan.fire);
  };
}

function open(signal: AbortSignal): Fan {
  const listeners = new Set<() => void>();
  const fire = () => {
    fans.delete(signal);
    for (const listener of listeners) listener();
  };
  const fan = { listeners, fire };
  fans.set(signal, fan);
  signal.addEventListener('abort', fire, { once: true });
  return fan;
}
