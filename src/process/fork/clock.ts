/**
 * Time since the birth of this process, for a process that was forked: Node counts from the start
 * of the template.
 */
import { performance } from 'node:perf_hooks';

type Measure = string | { start?: unknown; end?: unknown; duration?: unknown; detail?: unknown } | undefined;

/**
 * Lets `performance.timeOrigin`, `now`, `mark`, `measure` and `process.uptime` count from now.
 * Entries that Node makes by itself (resource timing, `nodeTiming`) keep the template's origin.
 */
export function restartClock(): void {
  const { now, mark, measure } = performance;
  const uptime = process.uptime;
  const shift = performance.now();
  const shiftUptime = uptime();
  const origin = performance.timeOrigin + shift;
  const since = (): number => now.call(performance) - shift;
  const own = {
    now: since,
    mark: (name: string, options?: { startTime?: number; detail?: unknown }) =>
      mark.call(performance, name, { ...options, startTime: options?.startTime ?? since() }),
    measure: (name: string, start?: Measure, end?: string) => {
      const options =
        typeof start === 'object' && start !== null
          ? { ...start }
          : { start: start ?? 0, ...(end === undefined ? {} : { end }) };
      // Without an end it ends now, unless a start and a duration say when.
      if (
        options.end === undefined &&
        !('duration' in options && options.duration !== undefined && options.start !== undefined)
      ) {
        options.end = since();
      }
      return measure.call(performance, name, options as never);
    },
  };
  for (const [name, value] of Object.entries(own)) {
    Object.defineProperty(performance, name, { value, writable: true, configurable: true, enumerable: false });
  }
  Object.defineProperty(performance, 'timeOrigin', { get: () => origin, configurable: true, enumerable: false });
  process.uptime = () => uptime.call(process) - shiftUptime;
}
