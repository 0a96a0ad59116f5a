/** Programs in documents. README.md's have files beside them: readme.test.ts. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fencesOf, root } from '../support/samples.js';
import { theyRun } from './samples.suite.js';

const documents = [
  ...readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.startsWith('api/'))
    .map((file) => `docs/${file}`)
    .sort(),
  ...readdirSync(root).filter((file) => /^(?!README).*\.md$/.test(file)),
];
const samples = documents.flatMap(fencesOf);

describe('programs in documents', () => {
  it('are found', () => expect(samples.length).toBeGreaterThan(5));

  it('are run, all but six, and those say why', () => {
    const unrun = samples.flatMap(({ place, left }) => (left === undefined ? [] : [`${place}: ${left.why}`]));
    expect(unrun.length, unrun.join('\n')).toBeLessThanOrEqual(6);
  });

  theyRun('documents', samples);
});
