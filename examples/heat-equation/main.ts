/**
 * The heat equation: processes that share two grids and meet at a barrier after each step, and a picture of the end.
 *
 *   node .build/examples/heat-equation/main.js [--side CELLS] [--steps N] [--processes N] [--out FILE.png]
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Barrier, cpuCount, Process, SharedArray } from 'multiprocess';
import { crosses, heatColour } from './colours.js';
import { kept, SOURCES, step } from './plate.js';
import { png } from './png.js';

const { values } = parseArgs({
  options: {
    side: { type: 'string', default: '400' },
    steps: { type: 'string', default: '5000' },
    processes: { type: 'string', default: String(cpuCount()) },
    out: { type: 'string', default: 'heat.png' },
  },
});
const [side, steps, processes] = [Number(values.side), Number(values.steps), Number(values.processes)];

const grids = [new SharedArray('f64', side * side), new SharedArray('f64', side * side)] as const;
const fixed = new SharedArray('u8', side * side);
for (let y = 0; y < side; y++) {
  for (let x = 0; x < side; x++) {
    const heat = kept(SOURCES, side, x, y);
    if (heat === null) continue;
    fixed.array[y * side + x] = 1;
    for (const grid of grids) grid.array[y * side + x] = heat;
  }
}

/** The greatest change of a cell in the last step, for each process. */
const changes = new SharedArray('f64', processes);
// Nobody writes into a grid that somebody still reads.
const barrier = new Barrier(processes);

const work = (number: number): void => {
  const top = Math.floor((number * side) / processes);
  const bottom = Math.floor(((number + 1) * side) / processes);
  const [even, odd] = [grids[0].array, grids[1].array];
  for (let n = 0; n < steps; n++) {
    const [from, to] = n % 2 === 0 ? [even, odd] : [odd, even];
    changes.array[number] = step(from, to, fixed.array, side, top, bottom);
    barrier.waitSync();
  }
};

const crew = Array.from({ length: processes }, (_, number) => new Process(work, { args: [number] }));
await Promise.all(crew.map((process) => process.start()));
console.log(`computed by processes ${crew.map(({ pid }) => pid).join(', ')}`);
await Promise.all(
  crew.map(async (process) => {
    if ((await process.exited) !== 0) barrier.abort(); // the others do not wait for it
  }),
);
const failed = crew.find(({ exitCode }) => exitCode !== 0);
if (failed !== undefined) throw new Error(`${failed.name} ended with exit code ${failed.exitCode}`);

const end = grids[steps % 2]!.array;
const at = (x: number, y: number): number => end[Math.min(y, side - 1) * side + Math.min(x, side - 1)]!;
const picture = png(side, side, (x, y) => {
  const heat = at(x, y);
  const [red, green, blue] = heatColour(heat);
  const line = crosses(heat, at(x + 1, y)) || crosses(heat, at(x, y + 1));
  return line ? [red >> 1, green >> 1, blue >> 1] : [red, green, blue];
});
await writeFile(values.out, picture);

const mean = end.reduce((sum, heat) => sum + heat, 0) / end.length;
console.log(`${steps} steps of ${side} x ${side} cells`);
console.log(`mean heat ${mean.toFixed(6)}, last change ${Math.max(...changes.array).toExponential(2)}`);
console.log(`the picture is in ${values.out}`);
