/** Examples in comments and programs in documents: they compile in strict mode, run, and print what they say. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasNats, type Nats, startNats } from '../support/nats.js';
import { examplesOf, fencesOf, promisedOutput, root, Workbench } from '../support/samples.js';

const filesBelow = (folder: string, ending: string): string[] =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`)
    .sort();

// README.md's samples have files beside them: readme.test.ts.
const documents = [
  ...filesBelow('docs', '.md').filter((file) => !file.startsWith('docs/api/')),
  ...readdirSync(root).filter((file) => /^(?!README).*\.md$/.test(file)),
];
const samples = [...filesBelow('src', '.ts').flatMap(examplesOf), ...documents.flatMap(fencesOf)];
const bench = new Workbench('examples');

/** The broker that samples find under its usual address. */
const BROKER = 'nats://localhost:4222';
const needsBroker = ({ code }: { readonly code: string }): boolean => code.includes(BROKER);
let nats: Nats | undefined;

beforeAll(async () => {
  if (hasNats) nats = await startNats();
});
afterAll(async () => {
  await bench.remove();
  await nats?.close();
});

describe('examples', () => {
  it('compile in strict mode', () => {
    expect(samples.length).toBeGreaterThan(40);
    expect(bench.check(samples)).toBe('');
  });

  // Side by side, as many as vitest's `maxConcurrency`.
  for (const sample of samples) {
    const isRun = hasNats || !needsBroker(sample);
    it.skipIf(!isRun).concurrent(`${sample.place} runs and prints what it says`, { timeout: 120_000 }, async (test) => {
      const promised = promisedOutput(sample);
      test.expect(promised, 'an example prints something, and says what').not.toBe('');
      const { code, stderr, stdout } = await bench.run(sample, undefined, nats === undefined ? {} : { [BROKER]: nats.servers });
      test.expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      test.expect(stdout.replace(/\s+/g, ' ').trim()).toBe(promised);
    });
  }
});
