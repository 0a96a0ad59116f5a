/** What of a batch its worker died of, as far as can be known. */
export enum Blame {
  /** Nothing: none of it had begun. */
  None,
  /** Its next item, which ran. */
  Item,
  /** Its function, which was being rebuilt: modules were imported, captures decoded. */
  Function,
  /** Its items, which were being received or decoded. */
  Items,
}
