import fc from 'fast-check'

/** Lines of a head. */
export type Lines = ReadonlyArray<readonly [name: string, value: string]>

/** Short texts of all characters that a header can carry. */
export const latin1 = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).filter(code => code !== 0x7f).map(code => String.fromCharCode(code)), maxLength: 40 })
