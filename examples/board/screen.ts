/** Shows a table: in place on a terminal, elsewhere the last one only. */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  #shown = 0;
  #last: readonly string[] = [];

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** Replaces what is shown. */
  show(lines: readonly string[]): void {
    this.#last = lines;
    if (!this.#out.isTTY) return;
    this.#out.write(`${this.#shown > 0 ? `\u001b[${this.#shown}F` : ''}\u001b[J${lines.join('\n')}\n`);
    this.#shown = lines.length;
  }

  /** Nothing more comes. */
  end(): void {
    if (!this.#out.isTTY) this.#out.write(`${this.#last.join('\n')}\n`);
  }
}
