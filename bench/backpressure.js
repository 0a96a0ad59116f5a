/** An endless source in front of a slow consumer: does the stream read ahead, does memory grow? */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, slope } from './harness/statistics.js';
import { openOurs } from './peers/ours.js';
import { identity } from './peers/tasks.js';

const SAMPLE = 250; // milliseconds between two looks at memory

/** Resident memory of a process in MiB, or NaN when it is gone. */
function resident(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

/**
 * What a series of samples says. It has grown when the level of its last quarter is above that of the first by more than
 * a garbage collector's mood: 8 MiB and a tenth.
 */
function trend(series) {
  const mib = series.map((sample) => sample.mib);
  const minutes = series.map(({ at }) => at / 60_000);
  const quarter = Math.ceil(mib.length / 4);
  const [before, after] = [median(mib.slice(0, quarter)), median(mib.slice(-quarter))];
  return { max: Math.max(...mib), slope: slope(minutes, mib), grown: after - before > 8 + before / 10 };
}

async function run({ workers, window, warmup, seconds, bytes, pause }, order) {
  const { pool, close } = openOurs(workers);
  let pulled = 0;
  let asked = 0;
  let received = 0;
  let ahead = 0;
  function* endless() {
    for (;;) {
      pulled++;
      ahead = Math.max(ahead, pulled - asked);
      yield Buffer.alloc(bytes, pulled);
    }
  }

  // As `for await`, with the asking counted: an item that is asked for is no longer ahead of its consumer.
  const items = pool[order](identity, endless(), { window })[Symbol.asyncIterator]();
  const take = async () => {
    asked++;
    const { done, value } = await items.next();
    if (done || value.length !== bytes) throw new Error('the stream ended, or an item came back damaged');
    received++;
  };
  while (received < warmup) await take(); // heaps reach their size, which takes them tens of thousands of items

  const self = [];
  const others = [];
  const begin = performance.now();
  const sampler = setInterval(() => {
    const at = performance.now() - begin;
    const mib = pool.stats().workers.map(({ pid }) => resident(pid));
    self.push({ at, mib: resident(process.pid) });
    others.push({ at, mib: mib.reduce((a, b) => a + b, 0) });
  }, SAMPLE);
  while (performance.now() - begin < seconds * 1000) {
    await take();
    await sleep(pause);
  }
  clearInterval(sampler);
  await items.return();
  await close();

  const [parent, children] = [trend(self), trend(others.filter(({ mib }) => !Number.isNaN(mib)))];
  return {
    ahead: ahead - window,
    parentGrown: Number(parent.grown),
    parentSlope: parent.slope,
    parentMax: parent.max,
    workersGrown: Number(children.grown),
    workersSlope: children.slope,
    workersMax: children.max,
    received: received - warmup,
  };
}

const flag = { unit: '1: yes', lower: true, absolute: true };
const none = { of: 'ours', atMost: 0 };

export default {
  title: 'an endless source of 16 KiB items in front of a consumer of 1 ms an item, window 64, 2 workers',
  settings: { workers: 2, window: 64, warmup: 60_000, seconds: 60, bytes: 16 * 1024, pause: 1 },
  quick: { warmup: 20_000, seconds: 5 },
  rounds: 1,
  watchdog: ({ seconds }) => 120 + 2 * seconds,
  metrics: {
    ahead: { label: 'read ahead above the window', unit: 'items', lower: true, absolute: true },
    parentGrown: { label: 'parent grew beyond noise', ...flag },
    parentSlope: { label: 'parent slope', unit: 'MiB/min', lower: true, absolute: true },
    parentMax: { label: 'parent maximum', unit: 'MiB', lower: true, absolute: true },
    workersGrown: { label: 'workers grew beyond noise', ...flag },
    workersSlope: { label: 'workers slope, together', unit: 'MiB/min', lower: true, absolute: true },
    workersMax: { label: 'workers maximum, together', unit: 'MiB', lower: true, absolute: true },
    received: { label: 'items received slowly', unit: 'items', absolute: true },
  },
  targets: [
    { metric: 'ahead', ...none },
    { metric: 'parentGrown', ...none },
    { metric: 'workersGrown', ...none },
    { metric: 'ahead', ...none, of: 'unordered' },
    { metric: 'parentGrown', ...none, of: 'unordered' },
    { metric: 'workersGrown', ...none, of: 'unordered' },
  ],
  contenders: {
    ours: { label: 'multiprocess imap', run: (settings) => run(settings, 'imap') },
    unordered: { label: 'multiprocess imapUnordered', run: (settings) => run(settings, 'imapUnordered') },
  },
};
