/** The picture of README.md. */
import { arrow, box, picture } from './svg.js';

export const file = 'docs/pictures/overview.svg';

/** x, y, width, height, kind, lines. */
const BOXES = [
  [20, 50, 150, 150, 'program', ['your program', '', 'for await (const r of', 'pool.imap(fn, items))']],
  [300, 40, 150, 46, 'worker', ['worker process', 'fn(item)']],
  [300, 102, 150, 46, 'worker', ['worker process', 'fn(item)']],
  [300, 164, 150, 46, 'worker', ['worker process', 'fn(item)']],
  [
    580,
    50,
    160,
    150,
    'program',
    ['results', '', 'a crash fails one item', 'at most a window is', 'ahead of the reader'],
  ],
  [
    20,
    262,
    720,
    48,
    'shared',
    [
      'shared memory: locks, values, arrays, maps, queues, topics',
      'the same ones in every process, also after one was killed',
    ],
  ],
];

/** Points, the text at the middle, and whether it is what flows back. */
const ARROWS = [
  { from: [170, 100], to: [300, 63], text: 'functions with their captures', at: [235, 32] },
  { from: [170, 125], to: [300, 125], text: 'items', at: [235, 118] },
  { from: [170, 150], to: [300, 187] },
  { from: [450, 63], to: [580, 100] },
  { from: [450, 125], to: [580, 125], text: 'results', at: [515, 118] },
  { from: [450, 187], to: [580, 150] },
  {
    from: [580, 228],
    to: [170, 228],
    text: 'demand: a place is free when a result was taken',
    at: [375, 246],
    back: true,
  },
];

export const drawn = () =>
  picture({
    source: 'scripts/pictures/overview.js',
    title: 'A program streams items through worker processes; demand flows back; state is shared',
    width: 760,
    height: 330,
    parts: [...BOXES.map(box), ...ARROWS.map(arrow)],
  });
