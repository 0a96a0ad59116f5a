/** `@example` blocks of comments. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { examplesOf, root } from '../support/samples.js';
import { theyRun } from './samples.suite.js';

const samples = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort()
  .flatMap((file) => examplesOf(`src/${file}`));

describe('examples', () => {
  it('are found', () => expect(samples.length).toBeGreaterThan(40));

  theyRun('examples', samples);
});
