/** What `explain` answers: plain fields, and a table when it is printed. */
import { inspect } from 'node:util';

/** Why something cannot be sent. */
export interface Problem {
  /** Stable reason, `MP_…`. */
  readonly code: string;
  /** The whole sentence. */
  readonly message: string;
  /** From the culprit up to the function. */
  readonly path: string;
  /** What to do about it; empty where there is nothing to say. */
  readonly repair: string;
}

/** One value that a function takes from outside. */
export interface Capture {
  /** The name in the function, or what the part is: `superclass`, `bound this`. */
  readonly name: string;
  /**
   * From this value up to the function: `captured \`K\` <- captured \`helper\` <- function f
   * (file:///main.js:3)`.
   */
  readonly path: string;
  /** By value: a copy. By reference: the other process imports it. */
  readonly how: 'value' | 'reference';
  /** `number`, `array of 3`, `Map`, `function`, `import`, the name of a class, … */
  readonly kind: string;
  /** What the other process takes instead, where it goes by reference: `./images.js (resize)`. */
  readonly from?: string;
  /** Bytes, if it were sent by itself; 0 where it cannot be. */
  readonly size: number;
  /** What a captured function takes in its turn. Named once, however often it is captured. */
  readonly captures: readonly Capture[];
  /** Why it cannot be sent. */
  readonly problem?: Problem;
}

/**
 * The fields of an {@link Explanation}.
 * @internal
 */
export interface ExplanationFields {
  readonly name: string;
  readonly place?: string;
  readonly how: 'value' | 'reference';
  readonly from?: string;
  readonly size: number;
  readonly captures: readonly Capture[];
  readonly problem?: Problem;
}

/**
 * What sending a function would send. All fields are plain data.
 * @example
 * import { explain } from 'multiprocess';
 *
 * const factor = 3;
 * const { captures, how, sendable } = explain((n: number) => n * factor);
 * console.log(sendable, how, captures.map(({ name }) => name)); // true value [ 'factor' ]
 */
export class Explanation {
  /** Whether it can be sent. */
  readonly sendable: boolean;
  /** Its own name, which may be empty. */
  readonly name: string;
  /**
   * Where it was written: `file:///main.js:3:14`. Absent where that is unknown or plays no role.
   */
  declare readonly place?: string;
  /**
   * By value: its text and captures. By reference: the name under which the other process has it.
   */
  readonly how: 'value' | 'reference';
  /** The name of a function that goes by reference. */
  declare readonly from?: string;
  /** Bytes of the whole message; 0 where it cannot be sent. */
  readonly size: number;
  /** What it takes from outside. */
  readonly captures: readonly Capture[];
  /** The first reason why it cannot be sent. */
  declare readonly problem?: Problem;

  /** @internal */
  constructor(fields: ExplanationFields) {
    const { name, place, how, from, size, captures, problem } = fields;
    this.sendable = problem === undefined;
    this.name = name;
    if (place !== undefined) this.place = place;
    this.how = how;
    if (from !== undefined) this.from = from;
    this.size = size;
    this.captures = captures;
    if (problem !== undefined) this.problem = problem;
  }

  /** A line for the function, one for each capture, and the repair where it cannot be sent. */
  [inspect.custom](
    _depth: number,
    options: { stylize(text: string, style: 'module' | 'regexp' | 'special' | 'undefined'): string },
  ): string {
    const rows: [text: string, style: 'regexp' | 'special' | 'undefined'][] = [];
    const cells = flatten(this.captures, 1);
    const widths = [0, 1].map((column) => Math.max(0, ...cells.map((cell) => cell.columns[column]!.length)));
    for (const { columns, capture } of cells) {
      const [name, kind, how] = columns;
      const line = `${name!.padEnd(widths[0]!)}  ${kind!.padEnd(widths[1]!)}  ${how}`;
      rows.push([
        line,
        capture.problem !== undefined ? 'regexp' : capture.how === 'reference' ? 'special' : 'undefined',
      ]);
    }
    if (this.problem !== undefined) rows.push([this.problem.message, 'regexp']);
    return [
      options.stylize(titleOf(this), 'module'),
      ...rows.map(([text, style]) => options.stylize(text, style)),
    ].join('\n');
  }

  /** The same without colours. */
  toString(): string {
    return inspect(this, { colors: false });
  }

  /** `Explanation`. */
  get [Symbol.toStringTag](): string {
    return 'Explanation';
  }
}

// No private method: an explanation can be sent.
function titleOf({ name, place, sendable, problem, how, from, size }: Explanation): string {
  const what = `${name === '' ? 'an anonymous function' : `function ${name}`}${place === undefined ? '' : ` (${place})`}`;
  if (!sendable) return `${what} cannot be sent: ${problem!.code}`;
  return how === 'reference' ? `${what}: by reference to ${from}` : `${what}: by value, ${bytes(size)}`;
}

interface Row {
  readonly columns: readonly [name: string, kind: string, how: string];
  readonly capture: Capture;
}

function flatten(captures: readonly Capture[], depth: number): Row[] {
  return captures.flatMap((capture): Row[] => {
    const how =
      capture.problem !== undefined
        ? `cannot be sent: ${capture.problem.code}`
        : capture.how === 'reference'
          ? `by reference to ${capture.from}`
          : bytes(capture.size);
    return [
      { columns: [`${'  '.repeat(depth)}${capture.name}`, capture.kind, how], capture },
      ...flatten(capture.captures, depth + 1),
    ];
  });
}

/** `12 B`, `3.4 KiB`, `1.5 MiB`. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  return count < 1 << 20 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / (1 << 20)).toFixed(1)} MiB`;
}
