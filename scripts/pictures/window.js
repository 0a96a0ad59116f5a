/** The picture of docs/guides/streams-and-backpressure.md: one window of a stream, at four moments. */
import { arrow, box, label, picture } from './svg.js';

export const file = 'docs/pictures/window.svg';

const WIDTH = 760;
const HEIGHT = 462;
const WINDOW = 8;
/** Left edge of the window, of the source and of the consumer. */
const LEFT = { source: 20, window: 156, consumer: 622 };
const CELL = { width: 52, height: 34, step: 56 };
const FIRST_ROW = 92;
const ROW_STEP = 82;

/** What an item is doing, by the letter that a row has for it. */
const STATES = { w: 'waiting', r: 'worker', d: 'shared' };

/**
 * A row: what happens, what the source does, the oldest item that was not delivered and the states of the window from the newest
 * item to it, and what the consumer does.
 */
const ROWS = [
  { text: 'the loop keeps up', source: 'reads 10 next', oldest: 2, states: 'wwwrrddd', consumer: 'handles 1' },
  {
    text: 'it stops: all are ready, and the workers idle',
    source: 'stopped',
    oldest: 2,
    states: 'dddddddd',
    consumer: 'stopped',
  },
  {
    text: 'it takes two: two places, two more items',
    source: 'gave 10, 11',
    oldest: 4,
    states: 'rrdddddd',
    consumer: 'handles 3',
  },
  {
    text: 'in order, behind a slow item: what is ready keeps its place',
    source: 'stopped',
    oldest: 2,
    states: 'dddddddr',
    consumer: 'waits for 2',
  },
];

const LEGEND = [
  ['waiting', 'waits for a worker'],
  ['worker', 'runs in a worker'],
  ['shared', 'is ready, not delivered'],
];

function row({ text, source, oldest, states, consumer }, i) {
  const y = FIRST_ROW + i * ROW_STEP;
  const middle = y + CELL.height / 2;
  const cells = [...states].map((state, place) => {
    const number = oldest + WINDOW - 1 - place;
    return box([LEFT.window + place * CELL.step, y, CELL.width, CELL.height, STATES[state], [String(number)]]);
  });
  const end = LEFT.window + WINDOW * CELL.step - (CELL.step - CELL.width);
  return [
    label((LEFT.window + end) / 2, y - 9, text, 'small'),
    box([LEFT.source, y, 110, CELL.height, 'program', [source]]),
    arrow({ from: [LEFT.source + 110, middle], to: [LEFT.window, middle] }),
    ...cells,
    arrow({ from: [end, middle], to: [LEFT.consumer, middle] }),
    box([LEFT.consumer, y, 118, CELL.height, 'program', [consumer]]),
  ].join('\n');
}

function legend([kind, text], i) {
  const x = 140 + i * 175;
  const y = HEIGHT - 38;
  return [
    `<rect class="${kind}" x="${x}" y="${y}" width="16" height="16" rx="4"/>`,
    label(x + 24, y + 13, text, 'small left'),
  ].join('\n');
}

export const drawn = () =>
  picture({
    source: 'scripts/pictures/window.js',
    title: 'A window of eight items: some wait, some run, some are ready; a place is free when a result was delivered',
    width: WIDTH,
    height: HEIGHT,
    parts: [
      label(LEFT.source + 55, 24, 'source', 'head'),
      label(LEFT.window + (WINDOW * CELL.step) / 2, 24, 'window: 8', 'head'),
      label(LEFT.consumer + 59, 24, 'consumer', 'head'),
      arrow({
        from: [LEFT.consumer + 118, 40],
        to: [LEFT.source, 40],
        text: 'demand: a result that was delivered makes room for one more item',
        at: [WIDTH / 2, 57],
        back: true,
      }),
      ...ROWS.map(row),
      ...LEGEND.map(legend),
    ],
  });
