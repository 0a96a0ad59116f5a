/** Programs in texts: they compile in strict mode, run, and print what they say. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hasNats, type Nats, startNats } from '../support/nats.js';
import { hasPython } from '../support/python.js';
import { hasRedis, type Redis, startRedis } from '../support/redis.js';
import { printed, promisedErrors, promisedOutput, type Sample, Workbench } from '../support/samples.js';

/** The broker that samples find under its usual address. */
const BROKER = 'nats://localhost:4222';
const needsBroker = ({ code }: Sample): boolean => code.includes(BROKER);
/** Likewise of Redis. */
const REDIS = 'redis://localhost:6379';
const needsRedis = ({ code }: Sample): boolean => code.includes(REDIS);

/** Whether this machine has what a sample needs; what is missing has said so. */
const canRun = (sample: Sample): boolean =>
  (hasNats || !needsBroker(sample)) && (hasRedis || !needsRedis(sample)) && (hasPython || sample.language !== 'py');

export function theyRun(name: string, samples: readonly Sample[]): void {
  const bench = new Workbench(name);
  let nats: Nats | undefined;
  let redis: Redis | undefined;

  beforeAll(async () => {
    if (hasNats && samples.some(needsBroker)) nats = await startNats();
    if (hasRedis && samples.some(needsRedis)) redis = await startRedis();
  });
  afterAll(async () => {
    await bench.remove();
    await nats?.close();
    await redis?.close();
  });

  it('compile in strict mode', () => {
    expect(bench.check(samples)).toBe('');
  });

  // Side by side, as many as vitest's `maxConcurrency`.
  for (const sample of samples.filter(({ left }) => left === undefined)) {
    it.skipIf(!canRun(sample)).concurrent(
      `${sample.place} runs and prints what it says`,
      { timeout: 120_000 },
      async (test) => {
        const promised = promisedOutput(sample);
        const errors = promisedErrors(sample);
        test.expect(promised + errors, 'a program prints something, and says what').not.toBe('');
        const { code, stderr, stdout } = await bench.run(sample, undefined, {
          ...(nats === undefined ? {} : { [BROKER]: nats.servers }),
          ...(redis === undefined ? {} : { [REDIS]: `redis://127.0.0.1:${redis.port}` }),
        });
        test.expect({ stderr: printed(stderr, errors), code }).toEqual({ stderr: errors, code: 0 });
        test.expect(printed(stdout, promised)).toBe(promised);
      },
    );
  }
}
