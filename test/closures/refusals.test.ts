import { describe, expect, test } from 'vitest';
import { runFixture } from './support/run.js';

const { entries } = runFixture('refusals.mjs');

describe('A function that cannot go is refused with a code, its name and the repair', () => {
  test.each(entries)('$title', ({ title, expected, refused }) => {
    const { code } = expected as { code: string };
    // On Node 20 a binding in its dead zone reads as undefined.
    if (code === 'MP_UNINITIALISED' && process.versions.node.startsWith('20.')) expect(refused).toBeUndefined();
    else {
      expect(refused, title).toMatchObject({ name: 'SerializationError', code });
      expect(refused!.message).toMatch(/function/i);
      if (code !== 'MP_NATIVE_FUNCTION') expect(refused!.message).toContain('refusals.mjs:');
    }
  });
});
