import { describe, expect, test } from 'vitest';
import { runFixture } from './run.js';

/** One test for each case of a fixture: rebuilt in a child, in the sender, and sent on by the child. */
export function describeOutcomes(title: string, fixture: string): void {
  const { entries } = runFixture(fixture);
  describe(title, () => {
    test.each(entries)('$title', (outcome) => {
      expect(outcome.refused).toBeUndefined();
      expect(outcome.error).toBeUndefined();
      expect(outcome.child).toEqual(outcome.expected);
      expect(outcome.here).toEqual(outcome.expected);
      expect(outcome.againError).toBeUndefined();
      expect(outcome.again).toEqual(outcome.expected);
    });
  });
}
