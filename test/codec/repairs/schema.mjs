import { makeLogger, makeSchema } from './made.mjs';

export const schema = makeSchema();
export const logger = makeLogger();
