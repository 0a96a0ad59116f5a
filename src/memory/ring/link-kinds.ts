/** What a link adds to the kind of a record, beside the owner's kind in the low 16 bits. */

/** A part of a message; the record's id is the length of the whole message. */
export const PART = 0x10000;
/** The last part of a message. */
export const TAIL = 0x20000;
/** The record has the handle of the buffer in which the message lies. */
export const SHARED_BUFFER = 0x40000;
/** The record has the handle of an empty buffer, to be mapped and sent back. */
export const BUFFER_OFFER = 0x80000;
/** The owner's kind. */
export const KIND_MASK = 0xffff;
