import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { program } from '../support/programs.js';

describe('getTempDir', () => {
  it('gives one directory of mode 0700, which is gone with all in it when the process has ended', async () => {
    const { stdout, code } = await program('temp-dir.js').ended;
    const { path, again, mode, files } = JSON.parse(stdout);
    expect({ again, mode, files, code }).toEqual({ again: path, mode: '700', files: ['file'], code: 0 });
    expect(existsSync(path)).toBe(false);
  });
});
