/** Beginning of the first message of a listener with a key. */
export const CHALLENGE: Buffer = Buffer.from('#CHALLENGE#');
