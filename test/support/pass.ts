import { dumps } from 'multiprocess/reduction';

/** A value as an argument of a fixture's command line. */
export const pass = (value: unknown): string => Buffer.from(dumps(value)).toString('hex');
