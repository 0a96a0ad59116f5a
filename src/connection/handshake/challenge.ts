/** Beginning of the first message of a listener with a key. */
export const CHALLENGE_PREFIX: Buffer = Buffer.from('#CHALLENGE#');
