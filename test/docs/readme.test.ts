/** README.md: its programs run as a reader would run them, its figures are what their script makes. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fencesOf, root } from '../support/samples.js';
import { theyRun } from './samples.suite.js';

const text = readFileSync(`${root}README.md`, 'utf8');
const samples = fencesOf('README.md');

/** What a script writes between two marks. */
const between = (mark: string) => new RegExp(`<!-- ${mark}: .*? -->\n([^]*?)<!-- /${mark} -->`).exec(text)?.[1] ?? '';

describe('README.md', () => {
  it('is read in three minutes', () => {
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });

  it('has five programs, each a whole file that needs no other', () => {
    expect(samples.map(({ files, left }) => [Object.keys(files), left])).toEqual(Array(5).fill([[], undefined]));
    for (const { code } of samples) expect(code.match(/from '(?!multiprocess|node:)/g)).toBeNull();
  });

  it('has figures beside those of peers, and says of which time', () => {
    const figures = between('figures');
    expect(figures).toMatch(/^\| no-op calls\/s, .*? \| [\d,]+ \| [\d,]+ \| [\d,]+ \|/m);
    expect(figures).toMatch(/CPUs.* Node v?\d+.*(\d{4}-\d\d-\d\d, commit [0-9a-f]{9})/s);
  });

  it('has the measured case in which one process wins', () => {
    const [, three, two] = /^\| every row, a line an item \|.* \| ([\d.]+) \| ([\d.]+) \|$/m.exec(between('rows'))!;
    expect(Number(three)).toBeLessThan(1);
    expect(Number(two)).toBeLessThan(1);
  });

  theyRun('readme', samples);
});
