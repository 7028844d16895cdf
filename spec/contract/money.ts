/** An amount of money as an application may have it: a class with a private part, compared by methods of its own. */
export class Money {
  readonly #cents: bigint

  constructor(cents: bigint) {
    this.#cents = cents
    // so that two of different amounts are different to a test as well
    Object.defineProperty(this, 'shown', { value: this.toString(), enumerable: true })
  }

  static parse(text: string): Money {
    return new Money(BigInt(text.replace('.', '')))
  }

  plus(other: Money): Money {
    return new Money(this.#cents + other.#cents)
  }

  toString(): string {
    const digits = String(this.#cents < 0n ? -this.#cents : this.#cents).padStart(3, '0')
    return `${this.#cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
  }
}

/** Stored as an exact decimal, which sorts as money does. */
export const MONEY = {
  type: { kind: 'decimal', precision: 20, scale: 2 },
  encode: (money: Money) => money.plus(new Money(0n)).toString(),
  decode: Money.parse,
  ordered: true,
} as const
