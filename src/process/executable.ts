let path: string | undefined;

/** The program that runs spawned children. Default: the one that runs this process. */
export function executable(): string {
  return path ?? process.execPath;
}

/** Sets {@link executable}; `undefined` restores the default. */
export function replaceExecutable(program: string | undefined): void {
  path = program;
}
