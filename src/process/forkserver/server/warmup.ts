/** Loaded by the scout alone: a module from a file, as children load theirs. */
export {};
