/** Loaded by the probe child alone: a module from a file, as children load theirs. */
export {};
