/** How work is handed to a pool while it is measured. */

/**
 * A closed loop: `inFlight` calls are always under way, and each that settles submits the next.
 *
 * Counts only between the warm-up and the end, without filling or draining the pool in between.
 *
 * @param submit starts call number `i` and returns its promise
 * @returns settled calls per second
 */
export function closedLoop(submit, { inFlight, warmup, duration }) {
  return countedLoop({ inFlight, warmup, duration }, (settled, failed) => (i) => {
    submit(i).then(settled, failed);
  });
}

/**
 * The same for work that answers with callbacks: `bind(settled, failed)` returns the function that starts call `i`.
 * Raw threads are measured with it, so they do not pay for promises which they do not need.
 */
export function countedLoop({ inFlight, warmup, duration }, bind) {
  const CLOCK_EVERY = 32; // calls between two looks at the clock
  return new Promise((resolve, reject) => {
    let started = 0;
    let done = 0;
    let from = 0;
    let fromTime = 0;
    let stopped = false;
    let rate = 0;
    const begin = performance.now();
    const settled = () => {
      done++;
      if (stopped) {
        if (done === started) resolve(rate);
        return;
      }
      if (done % CLOCK_EVERY === 0) {
        const now = performance.now();
        if (fromTime === 0) {
          if (now - begin >= warmup) [from, fromTime] = [done, now];
        } else if (now - fromTime >= duration) {
          rate = ((done - from) / (now - fromTime)) * 1000;
          stopped = true;
          if (done === started) resolve(rate);
          return;
        }
      }
      submit(started++);
    };
    const submit = bind(settled, reject);
    while (started < inFlight) submit(started++);
  });
}

/** One call at a time. @returns the microseconds of each after the warm-up. */
export async function oneAtATime(call, { warmup, duration }) {
  const begin = performance.now();
  while (performance.now() - begin < warmup) await call();
  const samples = [];
  const from = performance.now();
  for (let last = from; last - from < duration; ) {
    await call();
    const now = performance.now();
    samples.push((now - last) * 1000);
    last = now;
  }
  return samples;
}
