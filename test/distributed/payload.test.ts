/** Bytes that go to other hosts. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { encodeValue } from '../../src/distributed/wire/payload.js';
import { loads, MULTIPROCESS } from '../../src/reduction/index.js';

describe('The payload of a large value', () => {
  test('has nothing of what was in its memory before', () => {
    const spy = vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((bytes) => Buffer.alloc(bytes, 0xee));
    onTestFinished(() => spy.mockRestore());
    // Their lengths leave gaps between them.
    const value = [new Uint8Array(100_001), 'x'.repeat(70_001), new Uint8Array(5_003), new Uint16Array(4_001)];
    const { bytes } = encodeValue('test', MULTIPROCESS, value, 16);
    expect(spy).toHaveBeenCalledWith(bytes.length);
    expect(bytes.indexOf(0xee)).toBe(-1);
    expect(loads(bytes.slice(16))).toEqual(value);
  });
});
