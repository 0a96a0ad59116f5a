/**
 * A frame of a stack by its place alone, for `Error.prepareStackTrace`: hooks of compilers map what
 * it says by maps that only they have.
 */
export class HostFrame implements NodeJS.CallSite {
  readonly #file: string;
  readonly #line: number;
  readonly #column: number;

  constructor(file: string, line: number, column: number) {
    this.#file = file;
    this.#line = line;
    this.#column = column;
  }

  getFileName(): string {
    return this.#file;
  }

  getScriptNameOrSourceURL(): string {
    return this.#file;
  }

  getLineNumber(): number {
    return this.#line;
  }

  getColumnNumber(): number {
    return this.#column;
  }

  getEnclosingLineNumber(): number {
    return this.#line;
  }

  getEnclosingColumnNumber(): number {
    return this.#column;
  }

  getPosition(): number {
    return 0;
  }

  getScriptHash(): string {
    return '';
  }

  getThis(): undefined {
    return undefined;
  }

  getTypeName(): null {
    return null;
  }

  getFunction(): undefined {
    return undefined;
  }

  getFunctionName(): null {
    return null;
  }

  getMethodName(): null {
    return null;
  }

  getEvalOrigin(): undefined {
    return undefined;
  }

  getPromiseIndex(): null {
    return null;
  }

  isToplevel(): boolean {
    return true;
  }

  isEval(): boolean {
    return false;
  }

  isNative(): boolean {
    return false;
  }

  isConstructor(): boolean {
    return false;
  }

  isAsync(): boolean {
    return false;
  }

  isPromiseAll(): boolean {
    return false;
  }

  toString(): string {
    return `${this.#file}:${this.#line}:${this.#column}`;
  }
}
