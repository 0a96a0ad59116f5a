/** Imported by the program and its workers, and ends these. */
export const increment = (x) => x + 1;
process.env.PID_OF_THE_PROGRAM ??= String(process.pid);
if (process.env.PID_OF_THE_PROGRAM !== String(process.pid)) process.exit(1);
