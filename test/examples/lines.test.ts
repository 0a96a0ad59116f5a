import { describe, expect, it } from 'vitest';
import { LineIndex } from '../../examples/source-census/lines.js';

describe('LineIndex', () => {
  it.each([
    ['', 0],
    ['a', 1],
    ['a\n', 1],
    ['a\nb', 2],
    ['\n\n', 2],
    ['a\r\nb\r\n', 2],
  ])('counts the lines of %j', (source, count) => {
    expect(new LineIndex(source).count).toBe(count);
  });

  it('finds the line of every offset, the line end included', () => {
    const source = 'ab\n\ncd\ne';
    const lines = new LineIndex(source);
    expect([...source].map((_, offset) => lines.at(offset))).toEqual([1, 1, 1, 2, 3, 3, 3, 4]);
  });
});
