import type { WriteStream } from 'node:tty';
import { Presets, SingleBar } from 'cli-progress';

/** How far the census is. */
export interface Done {
  readonly files: number;
  readonly bytes: number;
}

/** Shows how far the work is, until disposed. */
export interface Progress extends Disposable {
  /** How many files there are, as far as known; grows while they are being counted. */
  expect(files: number): void;
  show(done: Done): void;
  /** Says what comes next; nothing is shown after it but further notes. */
  note(text: string): void;
}

/** A bar on a terminal; elsewhere a plain line, at most one every `interval` ms. */
export function startProgress(
  stream: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY'>>,
  interval = 1000,
): Progress {
  return stream.isTTY ? new Bar(stream) : new Lines(stream, interval);
}

class Bar implements Progress {
  readonly #bar: SingleBar;
  readonly #rate = new Rate();

  constructor(private readonly stream: NodeJS.WritableStream) {
    const format = ' {bar} {percentage}% | {value} of {total} files | {rate} | {eta_formatted} left';
    // Signals are handled by the program: the bar's own handler would keep SIGTERM from ending it.
    this.#bar = new SingleBar(
      { stream, format, hideCursor: true, emptyOnZero: true, gracefulExit: false },
      Presets.shades_classic,
    );
    this.#bar.start(0, 0, { rate: '' });
  }

  expect(files: number): void {
    this.#bar.setTotal(files);
  }

  show(done: Done): void {
    this.#bar.update(done.files, { rate: this.#rate.text(done) });
  }

  note(text: string): void {
    this.#bar.stop();
    this.stream.write(`${text}\n`);
  }

  [Symbol.dispose](): void {
    this.#bar.stop();
  }
}

class Lines implements Progress {
  readonly #rate = new Rate();
  #expected = 0;
  #last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly stream: NodeJS.WritableStream,
    private readonly interval: number,
  ) {}

  expect(files: number): void {
    this.#expected = files;
  }

  show(done: Done): void {
    const now = performance.now();
    if (now - this.#last < this.interval) return;
    this.#last = now;
    this.stream.write(`${done.files} of ${Math.max(this.#expected, done.files)} files, ${this.#rate.text(done)}\n`);
  }

  note(text: string): void {
    this.stream.write(`${text}\n`);
  }

  [Symbol.dispose](): void {}
}

class Rate {
  readonly #start = performance.now();

  text({ files, bytes }: Done): string {
    const seconds = Math.max(performance.now() - this.#start, 1) / 1000;
    return `${Math.round(files / seconds)} files/s, ${(bytes / 1e6 / seconds).toFixed(1)} MB/s`;
  }
}
