import fc, { type Arbitrary } from 'fast-check'

/** The values of one item, each with what its arbitrary knows of it. */
type Items<T> = ReadonlyArray<fc.Value<T>>

/**
 * So many items at once. fast-check's own arrays of one size cannot get smaller; this one is first
 * cut in halves, then loses one item after the other, and the last one left is made simple.
 */
export function batchOf<T> (item: Arbitrary<T>, size: number): Arbitrary<T[]> {
  return new Batch(item, size)
}

class Batch<T> extends fc.Arbitrary<T[]> {
  constructor (private readonly item: Arbitrary<T>, private readonly size: number) {
    super()
  }

  override generate (random: fc.Random, biasFactor: number | undefined): fc.Value<T[]> {
    return toValue(Array.from({ length: this.size }, () => this.item.generate(random, biasFactor)))
  }

  override canShrinkWithoutContext (value: unknown): value is T[] {
    return false
  }

  override shrink (_value: T[], context: Items<T>): fc.Stream<fc.Value<T[]>> {
    return fc.stream(this.smaller(context))
  }

  private * smaller (items: Items<T>): IterableIterator<fc.Value<T[]>> {
    const [first] = items
    if (items.length > 1) {
      const half = Math.ceil(items.length / 2)
      yield toValue(items.slice(0, half))
      yield toValue(items.slice(half))
      if (items.length > 2) for (const left of items) yield toValue(items.filter(one => one !== left))
    } else if (first !== undefined) {
      for (const simpler of this.item.shrink(first.value, first.context)) yield toValue([simpler])
    }
  }
}

function toValue<T> (items: Items<T>): fc.Value<T[]> {
  return new fc.Value(items.map(({ value }) => value), items)
}
