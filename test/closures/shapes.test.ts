import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runFixture } from './support/run.js';

const { entries } = runFixture('shapes.mjs');

/** Line and column of the `new Error` whose trace the fixture reports. */
function thrownAt(): string {
  const lines = readFileSync(new URL('./fixtures/shapes.mjs', import.meta.url), 'utf8').split('\n');
  const line = lines.findIndex((text) => text.includes('throw new Error(`at $'));
  return `shapes.mjs:${line + 1}:${lines[line]!.indexOf('new Error') + 1}`;
}

describe('Every shape of function crosses', () => {
  test.each(entries)('$title', (outcome) => {
    const expected = outcome.expected === 'shapes.mjs:STACK' ? thrownAt() : outcome.expected;
    expect(outcome.refused).toBeUndefined();
    expect(outcome.error).toBeUndefined();
    expect(outcome.child).toEqual(expected);
    expect(outcome.here).toEqual(expected);
    expect(outcome.againError).toBeUndefined();
    expect(outcome.again).toEqual(expected);
  });
});
