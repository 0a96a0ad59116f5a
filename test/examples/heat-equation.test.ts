/** examples/heat-equation: the picture is the same however many processes draw it, and the heat is that of physics. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heatColour } from '../../examples/heat-equation/colours.js';
import { ALPHA, SOURCES, step } from '../../examples/heat-equation/plate.js';
import { png } from '../../examples/heat-equation/png.js';
import { ExampleProgram, runExample } from '../support/example-program.js';

const MAIN = 'heat-equation/main';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heat-equation-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the heat equation', () => {
  it('gives the same picture, however many processes compute it', async () => {
    const pictures: Buffer[] = [];
    for (const processes of [1, 3]) {
      const out = join(folder, `${processes}.png`);
      const line = ['--side', '61', '--steps', '301', '--processes', String(processes), '--out', out];
      const { stdout, stderr, code } = await runExample(MAIN, line);
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      expect(stdout).toMatch(
        /^computed by processes .*\n301 steps of 61 x 61 cells\nmean heat 0\.25\d+, last change 1\.04e-3\n/,
      );
      pictures.push(readFileSync(out));
    }
    expect(pictures[0]!.equals(pictures[1]!)).toBe(true);

    // A decoder of others reads it: the edge is cold, the discs have their heat.
    const { data, info } = await sharp(pictures[0]).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 61, height: 61, channels: 3 });
    const pixel = (x: number, y: number) => [...data.subarray((y * 61 + x) * 3, (y * 61 + x) * 3 + 3)];
    expect(pixel(60, 60)).toEqual([...heatColour(0)]);
    for (const { x, y, heat } of SOURCES) {
      expect(pixel(Math.round(x * 61), Math.round(y * 61))).toEqual([...heatColour(heat)]);
    }
  });

  it('fails when one of its processes is killed, and keeps none waiting', async () => {
    const example = new ExampleProgram(MAIN, [
      '--steps',
      '100000000',
      '--processes',
      '3',
      '--out',
      join(folder, 'x.png'),
    ]);
    const [, second] = (await example.saying(/^computed by processes (.*)$/m))[1]!.split(', ').map(Number);
    process.kill(second!, 'SIGKILL');
    const { code, stderr } = await example.ended;
    await example.gone();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/Error: Process-\d ended with exit code/),
    });
  });
});

describe('a step', () => {
  it('cools a plate as the exact solution says', () => {
    const side = 51;
    const wave = (n: number) => Math.sin((Math.PI * n) / (side - 1));
    const grid = (): Float64Array =>
      Float64Array.from({ length: side * side }, (_, i) => wave(i % side) * wave(Math.floor(i / side)));
    const fixed = Uint8Array.from({ length: side * side }, (_, i) => {
      const [x, y] = [i % side, Math.floor(i / side)];
      return Number(x === 0 || y === 0 || x === side - 1 || y === side - 1);
    });
    let [from, to] = [grid(), grid()];
    const steps = 500;
    for (let n = 0; n < steps; n++) {
      step(from, to, fixed, side, 0, side);
      [from, to] = [to, from];
    }
    const decay = Math.exp(-2 * ALPHA * steps * (Math.PI / (side - 1)) ** 2);
    const middle = from[25 * side + 25]!;
    expect(Math.abs(middle / decay - 1)).toBeLessThan(0.002);
  });

  it('is that of a plate, strip by strip, and says how much changed', () => {
    const side = 8;
    const hot = () => Float64Array.from({ length: side * side }, (_, i) => (i === 3 * side + 3 ? 1 : 0));
    const fixed = new Uint8Array(side * side).fill(1);
    for (let y = 1; y < 7; y++) fixed.fill(0, y * side + 1, y * side + 7);
    const [whole, strips] = [hot(), hot()];
    expect(step(hot(), whole, fixed, side, 0, side)).toBeCloseTo(4 * ALPHA, 12);
    expect([step(hot(), strips, fixed, side, 0, 4), step(hot(), strips, fixed, side, 4, 8)]).toEqual([
      expect.closeTo(4 * ALPHA, 12),
      expect.closeTo(ALPHA, 12),
    ]);
    expect(strips).toEqual(whole);
  });
});

describe('a PNG', () => {
  it('has each pixel where a decoder finds it', async () => {
    const file = png(3, 2, (x, y) => [x * 100, y * 100, 7]);
    const { data } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    expect([...data]).toEqual([0, 0, 7, 100, 0, 7, 200, 0, 7, 0, 100, 7, 100, 100, 7, 200, 100, 7]);
  });
});
