import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { startProgress } from '../../examples/source-census/progress.js';

const written = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString() ?? '';

describe('progress', () => {
  it('is a plain line elsewhere than on a terminal, at most one in each interval', async () => {
    const stream = new PassThrough();
    using progress = startProgress(stream, 60_000);
    progress.expect(10);
    progress.show({ files: 1, bytes: 100 });
    progress.show({ files: 2, bytes: 200 });
    expect(written(stream)).toMatch(/^1 of 10 files, \d+ files\/s, \d+\.\d MB\/s\n$/);
    progress.note('next');
    expect(written(stream)).toBe('next\n');
  });

  it('speaks again after the interval, and never of more files than there are', async () => {
    const stream = new PassThrough();
    using progress = startProgress(stream, 5);
    progress.show({ files: 1, bytes: 0 });
    await new Promise((done) => setTimeout(done, 10));
    progress.show({ files: 2, bytes: 0 });
    expect(written(stream)).toMatch(/^1 of 1 files.*\n2 of 2 files.*\n$/);
  });

  it('is a bar on a terminal, which shows the last state when it ends and gives the cursor back', () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
    const signals = process.listenerCount('SIGTERM');
    {
      using progress = startProgress(stream);
      expect(process.listenerCount('SIGTERM')).toBe(signals);
      progress.expect(4);
      progress.show({ files: 3, bytes: 3e6 });
    }
    const text = written(stream);
    expect(text).toContain('75% | 3 of 4 files');
    expect(text.lastIndexOf('\x1B[?25h')).toBeGreaterThan(text.lastIndexOf('\x1B[?25l'));
  });

  it('stops the bar for a note', () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
    using progress = startProgress(stream);
    progress.note('next');
    progress.show({ files: 1, bytes: 0 });
    expect(written(stream)).toMatch(/next\n$/);
  });
});
