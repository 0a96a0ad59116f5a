/** Memory that nobody has any more, where there is no addon: V8 does not count it as garbage. */
import v8 from 'node:v8';
import vm from 'node:vm';
import { Process, SharedArray } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { withAddon } from '../../support/needs.js';
import { until } from '../../support/until.js';

const MIB = 2 ** 20;

describe.skipIf(withAddon)('without the addon', () => {
  it('memory goes when it is closed, although the thread that keeps it has nothing else to do', async () => {
    // V8 would collect by itself in a thread that has been idle for some seconds.
    v8.setFlagsFromString('--no-memory-reducer');
    // The kernel's thread starts with the first one.
    const child = await new Process(() => {}).start();
    await child.join();
    v8.setFlagsFromString('--expose-gc');
    const gc = vm.runInNewContext('gc') as () => void;
    gc();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 20; i++) new SharedArray('f64', 5 * MIB, { lock: false }).close();
    expect(process.memoryUsage().arrayBuffers).toBeGreaterThan(before + 40 * MIB);
    await until(() => {
      gc();
      return process.memoryUsage().arrayBuffers < before + 100 * MIB;
    }, 'most of 800 MiB is gone');
  });
});
