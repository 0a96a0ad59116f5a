/** Imported by the program and its workers. */
export const increment = (x) => x + 1;
if (!process.argv[1]?.endsWith('main.mjs')) process.exit(1);
