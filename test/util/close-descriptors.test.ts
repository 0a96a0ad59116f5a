import { closeAllFdsExcept } from 'multiprocess/util';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.js';
import { program } from '../support/programs.js';

describe('closeAllFdsExcept', () => {
  it('closes files and leaves a program that works', async () => {
    const { stdout, stderr, code } = await program('close-descriptors.js').ended;
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ code: 'EBADF', text: 'hello', digest: 40, fds: true });
    expect(code).toBe(0);
  });

  it('refuses what is no descriptor, before it closes any', () => {
    expect(codeOf(() => closeAllFdsExcept([1, -1]))).toBe('MP_INVALID_ARGUMENT');
  });
});
