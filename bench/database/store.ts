/** Something that answers one question at a time, or many in one go for little more. */
export interface Store {
  readonly name: string
  one(n: number): Promise<string>
  /** The answers in the order of the questions. */
  many(numbers: readonly number[]): Promise<string[]>
  isRight(n: number, answer: string): boolean
  close(): Promise<void>
}
