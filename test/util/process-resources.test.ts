import { existsSync } from 'node:fs';
import { closeAllFdsExcept } from 'multiprocess/util';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.js';
import { program } from '../support/programs.js';

describe('getTempDir', () => {
  it('gives one directory of mode 0700, which is gone with all in it when the process has ended', async () => {
    const { stdout, code } = await program('temp-dir.js').ended;
    const { path, again, mode, files } = JSON.parse(stdout);
    expect({ again, mode, files, code }).toEqual({ again: path, mode: '700', files: ['file'], code: 0 });
    expect(existsSync(path)).toBe(false);
  });
});

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
