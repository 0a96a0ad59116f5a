/** A launcher that imports the program. */
await import('./src/start.js');
